internal import AtomsyncCore
internal import NIOCore

/// Hands chunks from those who make them to the one who writes them, without a buffer: `send` returns when its
/// chunk has been taken, so that nothing piles up for a slow reader.
///
/// ## Behavior
/// Ends for everybody at once: by ``finish()``, or when a task that waits in it is cancelled.
final class EventPipe: Sendable {
  private struct State {
    var waiting: [(chunk: ByteBuffer, sender: CheckedContinuation<Void, any Error>)] = []
    var taker: CheckedContinuation<ByteBuffer?, Never>?
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
          return taker
        }
        switch taker {
        case nil: break
        case .some(nil): sender.resume(throwing: CancellationError())
        case .some(let taker?):
          taker.resume(returning: chunk)
          sender.resume()
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

  /// The next chunk; `nil` at the end. One task at a time.
  func next() async -> ByteBuffer? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { taker in
        let found: (chunk: ByteBuffer?, sender: CheckedContinuation<Void, any Error>?)? = state.withLock {
          state in
          if !state.waiting.isEmpty {
            let first = state.waiting.removeFirst()
            return (first.chunk, first.sender)
          }
          if state.isFinished { return (nil, nil) }
          state.taker = taker
          return nil
        }
        guard let found else { return }
        found.sender?.resume()
        taker.resume(returning: found.chunk)
      }
    } onCancel: {
      finish()
    }
  }

  /// Ends the pipe; what was not taken is dropped.
  func finish() {
    let (waiting, taker) = state.withLock { state in
      defer { (state.waiting, state.taker, state.isFinished) = ([], nil, true) }
      return (state.waiting, state.taker)
    }
    for entry in waiting { entry.sender.resume(throwing: CancellationError()) }
    taker?.resume(returning: nil)
  }
}
