internal import AsyncHTTPClient
internal import AtomsyncCore
internal import NIOCore

/// A live stream once its head has come: events in, pages out.
struct LiveStream: Sendable {
  private let answer: Answer
  private let limit: Int
  private let watchdog: Watchdog

  init(_ answer: Answer, limit: Int, _ watchdog: Watchdog) {
    self.answer = answer
    self.limit = limit
    self.watchdog = watchdog
  }

  /// Hands on events, waiting for `receive` before it reads on. Returns when the server ended the stream.
  func run(_ receive: @Sendable (LiveEvent) async throws -> Void) async throws {
    try await answer.check(.transitJSON, limit: limit, watchdog)
    guard answer.isEventStream else {
      throw TransportError(.unsupported, "The server has no live streams.")
    }
    try await hand(.opened, to: receive)
    var parser = ServerSentEventParser(limit: limit)
    watchdog.progress()
    for try await chunk in answer.body {
      watchdog.rest()
      let events: [ServerSentEvent]
      do {
        events = try parser.feed(chunk.readableBytesView)
      } catch {
        throw TransportError(.malformedAnswer, "An event of the live stream has more than \(limit) bytes.")
      }
      for event in events {
        if let event = try decoded(event) { try await hand(event, to: receive) }
      }
      watchdog.progress()
    }
    if let delay = parser.retry {
      throw TransportError(.unreachable, "The server ended the live stream.", retryAfter: delay)
    }
  }

  private func hand(_ event: LiveEvent, to receive: @Sendable (LiveEvent) async throws -> Void) async throws {
    do { try await receive(event) } catch { throw ReceiverError(error: error) }
  }

  /// `nil` for an event of a kind that is not known: a newer server may send some.
  private func decoded(_ event: ServerSentEvent) throws -> LiveEvent? {
    do {
      switch event.name {
      case "page": return .page(try TransitCodec.transitJSON.decode(PullPage.self, from: event.data))
      case "revoked":
        return .revoked(group: try TransitCodec.transitJSON.decode(Revocation.self, from: event.data).group)
      default: return nil
      }
    } catch {
      throw TransportError(.malformedAnswer, "A live event cannot be understood.", cause: "\(error)")
    }
  }
}
