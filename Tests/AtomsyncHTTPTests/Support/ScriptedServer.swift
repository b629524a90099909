import AtomsyncCore
import NIOCore
import NIOPosix

/// A server that answers every request with the same bytes, whatever they are, and then closes or falls silent.
struct ScriptedServer: Sendable {
  let port: Int
  /// What clients have sent.
  let received: Lock<String>
  var url: String { "http://127.0.0.1:\(port)/sync" }

  @discardableResult
  static func run<Result: Sendable>(
    _ reply: String, body: [UInt8] = [], closes: Bool = true,
    _ test: @Sendable (ScriptedServer) async throws -> Result
  ) async throws -> Result {
    let received = Lock("")
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            Handler(reply: Array(reply.utf8) + body, closes: closes, received))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    let server = ScriptedServer(port: channel.localAddress?.port ?? 0, received: received)
    do {
      let result = try await test(server)
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
    private let reply: [UInt8]
    private let closes: Bool
    private let received: Lock<String>
    private var seen = ""

    init(reply: [UInt8], closes: Bool, _ received: Lock<String>) {
      (self.reply, self.closes, self.received) = (reply, closes, received)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let isFirst = !seen.contains("\r\n\r\n")
      let text = String(buffer: unwrapInboundIn(data))
      seen += text
      received.withLock { $0 += text }
      guard isFirst, seen.contains("\r\n\r\n") else { return }
      let buffer = ByteBuffer(bytes: reply)
      if closes {
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(buffer)).whenComplete { _ in channel.close(promise: nil) }
      } else {
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
      }
    }
  }
}
