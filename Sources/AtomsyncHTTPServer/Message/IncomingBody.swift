internal import AtomsyncCore
internal import NIOCore

/// A request's body on its way from the connection's event loop to the task that answers the request.
final class IncomingBody: AsyncSequence, Sendable {
  private struct State {
    var pieces = BodyPieces()
    var end: Result<Void, any Error>?
    var reader: CheckedContinuation<Void, Never>?
    /// Nobody reads what comes from now on.
    var isDiscarded = false

    mutating func takeReader() -> CheckedContinuation<Void, Never>? {
      defer { reader = nil }
      return reader
    }
  }

  private let state = Lock(State())
  /// Lets the connection read on.
  private let resume: @Sendable () -> Void

  /// While as much waits for the reader, the connection is not read.
  private static let mostBytes = 64 << 10

  init(resume: @escaping @Sendable () -> Void) { self.resume = resume }

  // MARK: The connection

  /// Whether there is room for more.
  var hasRoom: Bool { state.withLock { $0.pieces.byteCount < Self.mostBytes } }

  func receive(_ piece: ByteBuffer) {
    let reader = state.withLock { state in
      if state.isDiscarded { return nil as CheckedContinuation<Void, Never>? }
      state.pieces.append(piece)
      return state.takeReader()
    }
    reader?.resume()
  }

  /// What comes after the end changes nothing.
  func end(_ end: Result<Void, any Error>) {
    let reader = state.withLock { state in
      state.end = state.end ?? end
      return state.takeReader()
    }
    reader?.resume()
  }

  /// The request was answered: what still comes of the body is dropped.
  func discard() {
    state.withLock { state in
      state.isDiscarded = true
      state.pieces = BodyPieces()
    }
  }

  // MARK: The reader

  struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let body: IncomingBody
    private var taken: ArraySlice<ByteBuffer> = []

    fileprivate init(_ body: IncomingBody) { self.body = body }

    mutating func next() async throws -> ByteBuffer? {
      if taken.isEmpty { taken = try await body.take()[...] }
      return taken.popFirst()
    }
  }

  func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }

  /// The pieces that wait, once there are any; none at the end.
  private func take() async throws -> [ByteBuffer] {
    while true {
      let (pieces, end, wasFull) = state.withLock { state in
        let wasFull = state.pieces.byteCount >= Self.mostBytes
        return (state.pieces.takeAll(), state.end, wasFull)
      }
      if wasFull { resume() }
      if !pieces.isEmpty { return pieces }
      if let end {
        try end.get()
        return []
      }
      await wait()
    }
  }

  /// Waits for a piece, the end, or the task's cancellation, which ends the body.
  private func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { reader in
        let hasNews = state.withLock { state in
          if !state.pieces.buffers.isEmpty || state.end != nil { return true }
          state.reader = reader
          return false
        }
        if hasNews { reader.resume() }
      }
    } onCancel: {
      end(.failure(CancellationError()))
    }
  }
}
