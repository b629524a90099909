internal import AtomsyncCore
internal import HummingbirdCore
internal import NIOCore

/// Sees that a stream is never silent for too long, and that its reader takes what it is sent.
struct StreamHeartbeat: Sendable {
  let heartbeat: Duration
  let stallTimeout: Duration
  private let state = Lock((isWriting: false, since: ContinuousClock.now))

  init(heartbeat: Duration, stallTimeout: Duration) {
    self.heartbeat = heartbeat
    self.stallTimeout = stallTimeout
  }

  func write(_ chunk: ByteBuffer, to output: inout Output) async throws {
    state.withLock { $0 = (true, .now) }
    try await output.writer.write(chunk)
    state.withLock { $0 = (false, .now) }
  }

  /// Runs beside the writing, until it is cancelled.
  ///
  /// - Throws: ``ReaderStalled``.
  func keep(_ pipe: EventPipe) async throws {
    while true {
      let (isWriting, since) = state.withLock { $0 }
      let deadline = since + (isWriting ? stallTimeout : heartbeat)
      if ContinuousClock.now < deadline {
        // Looks again at the earliest time at which something can be due.
        try await ContinuousClock().sleep(until: min(deadline, .now + min(heartbeat, stallTimeout)))
      } else if isWriting {
        throw ReaderStalled()
      } else {
        // Without waiting: that would be to stop watching. A comment that is not taken at once is not needed,
        // since something else is on its way.
        pipe.offer(EventFrame.heartbeat)
        state.withLock { if !$0.isWriting { $0.since = .now } }
      }
    }
  }
}

/// The reader has taken nothing for the configured time.
struct ReaderStalled: Error, CustomStringConvertible {
  var description: String { "the reader takes nothing" }
}
