import AtomsyncCore
import NIOCore
import NIOPosix

/// A connection that reads nothing until it is told to.
struct LazyReader {
  let channel: any Channel
  private let text: Lock<String>

  static func connect(
    _ server: TestServer, _ line: String, accept: String = "text/event-stream"
  ) async throws -> LazyReader {
    let text = Lock("")
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(ChannelOptions.autoRead, value: false)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Collector(text: text))
        }
      }
      .connect(host: "127.0.0.1", port: server.port).get()
    let request = "\(line)\r\nHost: localhost\r\nAccept: \(accept)\r\n\r\n"
    try await channel.writeAndFlush(ByteBuffer(string: request))
    return LazyReader(channel: channel, text: text)
  }

  /// Reads up to the end of the connection, and counts.
  func drain() async throws -> Int { try await contents().utf8.count }

  /// What comes up to the end of the connection.
  func contents() async throws -> String {
    // Not if the end has come already: all of it has been read then.
    try? await channel.setOption(ChannelOptions.autoRead, value: true).get()
    channel.read()
    try? await channel.closeFuture.get()
    return text.withLock { $0 }
  }

  func close() async throws { try await channel.close() }

  private final class Collector: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    private let text: Lock<String>
    init(text: Lock<String>) { self.text = text }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let part = String(buffer: unwrapInboundIn(data))
      text.withLock { $0 += part }
    }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
  }
}
