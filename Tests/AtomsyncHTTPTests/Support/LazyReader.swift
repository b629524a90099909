import AtomsyncCore
import NIOCore
import NIOPosix

/// A connection that reads nothing until it is told to.
struct LazyReader {
  let channel: any Channel

  static func connect(
    _ server: TestServer, _ line: String, accept: String = "text/event-stream"
  ) async throws -> LazyReader {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(ChannelOptions.autoRead, value: false)
      .connect(host: "127.0.0.1", port: server.port).get()
    let request = "\(line)\r\nHost: localhost\r\nAccept: \(accept)\r\n\r\n"
    try await channel.writeAndFlush(ByteBuffer(string: request))
    return LazyReader(channel: channel)
  }

  /// Reads up to the end of the connection, and counts.
  func drain() async throws -> Int {
    let count = Lock(0)
    try await channel.pipeline.addHandler(Counter(count: count)).get()
    try await channel.setOption(ChannelOptions.autoRead, value: true).get()
    channel.read()
    try? await channel.closeFuture.get()
    return count.withLock { $0 }
  }

  func close() async throws { try await channel.close() }

  private final class Counter: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    private let count: Lock<Int>
    init(count: Lock<Int>) { self.count = count }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let bytes = unwrapInboundIn(data).readableBytes
      count.withLock { $0 += bytes }
    }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
  }
}
