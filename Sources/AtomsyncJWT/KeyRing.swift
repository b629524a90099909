internal import AtomsyncCore
internal import Logging

/// The keys as they were last read, and when they have to be read again.
actor KeyRing {
  private let source: JWTKeySource
  private let logger: Logger
  private var current: KeySet?
  private var attempted: ContinuousClock.Instant?
  private var reading: Task<KeySet, any Error>?

  /// The shortest time between two readings that tokens ask for.
  private static let pause = Duration.seconds(30)
  /// How long keys from a URL are taken to be the newest.
  private static let validity = Duration.seconds(3600)

  init(_ source: JWTKeySource, _ logger: Logger) {
    self.source = source
    self.logger = logger
  }

  func open() async throws(JWTKeyError) {
    do { try await reload() } catch {
      guard case .url = source.place else { throw error }
      logger.warning("Nobody is let in by a JWT until its keys can be read. \(error)")
    }
  }

  func reload() async throws(JWTKeyError) { current = try await read() }

  /// The keys to verify a token with that names this one; `nil` when it is not known.
  ///
  /// - Throws: `ProtocolError` with `unavailable` when there are no keys.
  func keys(for name: String?) async throws -> KeySet? {
    if isDue(for: name) {
      do { try await reload() } catch {
        logger.warning("The keys for JWTs stay as they were. \(error)")
      }
    }
    guard let current else {
      throw ProtocolError(
        .unavailable, "The keys that tokens are signed with are not known yet. Try again later.")
    }
    return current.has(name) ? current : nil
  }

  private func isDue(for name: String?) -> Bool {
    guard let attempted else { return true }
    let age = ContinuousClock.now - attempted
    if age < Self.pause { return false }
    guard let current, current.has(name) else { return true }
    if case .url = source.place { return age >= Self.validity }
    return false
  }

  /// One reading for all who wait for it.
  private func read() async throws(JWTKeyError) -> KeySet {
    let task: Task<KeySet, any Error>
    if let reading {
      task = reading
    } else {
      let source = source
      task = Task {
        let bytes = try await source.read()
        do { return try await KeySet(json: bytes) } catch {
          throw JWTKeyError("The keys at \(source) cannot be used. \(error)")
        }
      }
      reading = task
      attempted = .now
    }
    let result = await task.result
    if reading == task { reading = nil }
    switch result {
    case .success(let keys): return keys
    case .failure(let error): throw error as? JWTKeyError ?? JWTKeyError("\(error)")
    }
  }
}
