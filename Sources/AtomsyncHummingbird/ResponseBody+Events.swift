internal import AtomsyncCore
internal import AtomsyncHTTPServer
internal import Hummingbird
internal import ServiceLifecycle

extension ResponseBody {
  /// A live stream, which ends when its reader leaves or the application shuts down.
  static func events(_ stream: EventStream, _ requestBody: RequestBody) -> ResponseBody {
    ResponseBody { writer in
      let output = WriterOutput(writer)
      try await withGracefulShutdownHandler {
        try await requestBody.consumeWithInboundCloseHandler { _ in
          // In a task of its own, which can be cancelled while it waits for a reader that takes nothing.
          let following = Task { try await stream.run(output) }
          output.onBreakOff { following.cancel() }
          try await withTaskCancellationHandler {
            try await following.value
          } onCancel: {
            following.cancel()
          }
        } onInboundClosed: {
          stream.watch.end(.left)
        }
      } onGracefulShutdown: {
        stream.watch.end(.shutdown)
      }
      try await output.finish()
    }
  }
}

/// Hummingbird's writer as a live stream's output.
private final class WriterOutput: EventOutput, @unchecked Sendable {
  // Unchecked, because the writer is not sendable. Sound, because one task uses it, and whoever made that one waits until it
  // has ended.
  private var writer: any ResponseBodyWriter
  private let cancellation = Lock<(@Sendable () -> Void)?>(nil)

  init(_ writer: any ResponseBodyWriter) { self.writer = writer }

  func onBreakOff(_ cancel: @escaping @Sendable () -> Void) { cancellation.withLock { $0 = cancel } }

  func write(_ frame: EventFrame) async throws { try await writer.write(frame.bytes) }

  func breakOff() { cancellation.withLock { $0 }?() }

  func finish() async throws { try await writer.finish(nil) }
}
