internal import AtomsyncCore
internal import NIOCore

/// Hands chunks from those who make them to the one who writes them, without a buffer: `send` returns when its
/// chunk has been written and the next one is asked for, so that nothing is made for a reader that does not take it.
///
/// ## Behavior
/// Ends for everybody at once: by ``finish()``, or when a task that waits in it is cancelled.
final class EventPipe: Sendable {
  private struct State {
    var waiting: [(chunk: ByteBuffer, sender: CheckedContinuation<Void, any Error>)] = []
    var taker: CheckedContinuation<ByteBuffer?, Never>?
    /// Who sent the chunk that is being written.
    var written: CheckedContinuation<Void, any Error>?
    var isFinished = false
  }
  private let state = Lock(State())

  /// - Throws: `CancellationError` when the pipe has ended.
  func send(_ chunk: ByteBuffer) async throws {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { sender in
        let taker: CheckedContinuation<ByteBuffer?, Never>?? = state.withLock { state in
          if state.isFinished { return .some(nil) }
          guard let taker = state.taker else {
            state.waiting.append((chunk, sender))
            return nil
          }
          state.taker = nil
          state.written = sender
          return taker
        }
        switch taker {
        case nil: break
        case .some(nil): sender.resume(throwing: CancellationError())
        case .some(let taker?): taker.resume(returning: chunk)
        }
      }
    } onCancel: {
      finish()
    }
  }

  /// Hands over a chunk if somebody waits for one at this moment, and drops it if not.
  func offer(_ chunk: ByteBuffer) {
    let taker = state.withLock { state in
      defer { state.taker = nil }
      return state.taker
    }
    taker?.resume(returning: chunk)
  }

  /// The next chunk, once the last one was written; `nil` at the end. One task at a time.
  func next() async -> ByteBuffer? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { taker in
        let (written, found) = state.withLock {
          state -> (CheckedContinuation<Void, any Error>?, ByteBuffer??) in
          let written = state.written
          state.written = nil
          if !state.waiting.isEmpty {
            let first = state.waiting.removeFirst()
            state.written = first.sender
            return (written, .some(first.chunk))
          }
          if state.isFinished { return (written, .some(nil)) }
          state.taker = taker
          return (written, nil)
        }
        written?.resume()
        if let found { taker.resume(returning: found) }
      }
    } onCancel: {
      finish()
    }
  }

  /// Ends the pipe; what was not taken is dropped.
  func finish() {
    let (senders, taker) = state.withLock { state in
      defer { (state.waiting, state.written, state.taker, state.isFinished) = ([], nil, nil, true) }
      return (state.waiting.map(\.sender) + [state.written].compactMap(\.self), state.taker)
    }
    for sender in senders { sender.resume(throwing: CancellationError()) }
    taker?.resume(returning: nil)
  }
}
