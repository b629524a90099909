internal import AtomsyncCore

/// Asks the application for its token, and for a new one, once for all, when the server refuses it.
final class Credentials: Sendable {
  private let fetch: (@Sendable () async throws -> String?)?
  private let fixed: String?
  private let renewal = Lock<(number: Int, task: Task<String?, any Error>)?>(nil)

  init(token: String?) { (fetch, fixed) = (nil, token) }

  init(fetch: @escaping @Sendable () async throws -> String?) { (self.fetch, fixed) = (fetch, nil) }

  /// The token for a request; `nil` for none.
  ///
  /// - Throws: `TransportError` with `unavailable` when the application has none at the moment.
  func token() async throws -> String? {
    guard let fetch else { return fixed }
    return try await Self.reporting(fetch)
  }

  /// A token that is not `refused`; `nil` when there is no other. Callers that come at the same time share one call
  /// of the application's.
  func renewed(after refused: String?) async throws -> String? {
    guard let fetch else { return nil }
    let (number, task) = renewal.withLock { renewal in
      if let renewal { return renewal }
      let fresh = (number: Int.random(in: .min ... .max), task: Task { try await Self.reporting(fetch) })
      renewal = fresh
      return fresh
    }
    defer { renewal.withLock { if $0?.number == number { $0 = nil } } }
    let token = try await task.value
    return token == refused ? nil : token
  }

  private static func reporting(_ fetch: @Sendable () async throws -> String?) async throws -> String? {
    do {
      return try await fetch()
    } catch let error as CancellationError {
      throw error
    } catch let error as TransportError {
      throw error
    } catch {
      throw TransportError(.unavailable, "The application has no token at the moment.", cause: "\(error)")
    }
  }
}
