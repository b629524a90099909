internal import AtomsyncCore
internal import HummingbirdCore
internal import NIOCore
internal import NIOHTTPTypes

/// Sees that a stream is never silent for too long, and that its reader takes what it is sent.
struct StreamHeartbeat: Sendable {
  let heartbeat: Duration
  let stallTimeout: Duration
  private let state = Lock((isWriting: false, since: ContinuousClock.now))

  init(heartbeat: Duration, stallTimeout: Duration) {
    self.heartbeat = heartbeat
    self.stallTimeout = stallTimeout
  }

  /// Returns once the system has taken the chunk. The writer alone says so earlier: many readers at once keep the event
  /// loops busy, and each would be handed chunk after chunk before it turns out that none of them is read.
  func write(_ chunk: ByteBuffer, to output: inout Output, _ connection: (any Channel)?) async throws {
    state.withLock { $0 = (true, .now) }
    try await output.writer.write(chunk)
    if let connection {
      // Nothing, whose turn comes when everything before it was written. To stop waiting for that is to break off.
      try await withTaskCancellationHandler {
        try await connection.writeAndFlush(HTTPResponsePart.body(ByteBuffer()))
      } onCancel: {
        connection.close(promise: nil)
      }
    }
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
