internal import AtomsyncCore
internal import AtomsyncEngine
internal import Foundation

/// Sees that a live stream is never silent for too long, that its reader takes what it is sent, and that it ends when it has to.
package final class StreamWatch: Sendable {
  package enum Ending: Sendable {
    /// The reader has gone.
    case left
    /// The server shuts down: the reader is told when to come back.
    case shutdown
    /// Broken off, so that the reader comes back soon.
    case failed(any Error)
  }

  private struct State {
    var isWriting = false
    /// When it began to write, or has ended to.
    var since = MonotonicTime.now
    var ending: Ending?
    var subscription: ChangeSubscription?
    var breakOff: (@Sendable () -> Void)?
  }

  private let state = Lock(State())
  private let heartbeat: Duration
  private let stallTimeout: Duration
  private let expires: Date?

  init(_ configuration: HTTPServerConfiguration, expires: Date?) {
    heartbeat = configuration.heartbeat
    stallTimeout = configuration.stallTimeout
    self.expires = expires
  }

  /// How the stream ends, once that is certain.
  var ending: Ending? { state.withLock { $0.ending } }

  func begin(_ subscription: ChangeSubscription, _ breakOff: @escaping @Sendable () -> Void) {
    let isOver = state.withLock { state in
      state.subscription = subscription
      state.breakOff = breakOff
      return state.ending != nil
    }
    if isOver { subscription.finish() }
  }

  func willWrite() { state.withLock { ($0.isWriting, $0.since) = (true, .now) } }
  func didWrite() { state.withLock { ($0.isWriting, $0.since) = (false, .now) } }

  /// The first ending is what the reader is told. One that fails does not wait for what is being written.
  package func end(_ ending: Ending) {
    let (subscription, breakOff) = state.withLock { state in
      state.ending = state.ending ?? ending
      let breaksOff = if case .failed = ending { true } else { false }
      return (state.subscription, breaksOff ? state.breakOff : nil)
    }
    subscription?.finish()
    breakOff?()
  }

  /// Looks whether something is due.
  func look(_ now: MonotonicTime = .now) {
    let (isWriting, silence, subscription) = state.withLock {
      ($0.isWriting, now - $0.since, $0.subscription)
    }
    if let expires, expires <= Date() {
      end(.failed(ProtocolError(.unauthorized, "The token has expired.")))
    } else if isWriting {
      if silence >= stallTimeout { end(.failed(ReaderStalled())) }
    } else if silence >= heartbeat {
      subscription?.poke()
    }
  }
}

/// The reader has taken nothing for the configured time.
struct ReaderStalled: Error, CustomStringConvertible {
  var description: String { "the reader takes nothing" }
}
