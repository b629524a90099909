import NIOCore
import NIOPosix

/// A server that answers every request with the same bytes, whatever they are, and then closes or falls silent.
struct ScriptedServer: Sendable {
  let url: String

  @discardableResult
  static func run<Result: Sendable>(
    _ reply: String, closes: Bool = true, _ body: @Sendable (ScriptedServer) async throws -> Result
  ) async throws -> Result {
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Handler(reply: reply, closes: closes))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    let server = ScriptedServer(url: "http://127.0.0.1:\(channel.localAddress?.port ?? 0)/sync")
    do {
      let result = try await body(server)
      try await channel.close()
      return result
    } catch {
      try? await channel.close()
      throw error
    }
  }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let reply: String
    private let closes: Bool
    private var seen = ""

    init(reply: String, closes: Bool) { (self.reply, self.closes) = (reply, closes) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let isFirst = !seen.contains("\r\n\r\n")
      seen += String(buffer: unwrapInboundIn(data))
      guard isFirst, seen.contains("\r\n\r\n") else { return }
      let buffer = ByteBuffer(string: reply)
      if closes {
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(buffer)).whenComplete { _ in channel.close(promise: nil) }
      } else {
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
      }
    }
  }
}
