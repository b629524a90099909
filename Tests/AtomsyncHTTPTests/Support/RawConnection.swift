import AtomsyncCore
import NIOCore
import NIOPosix

/// Bytes to a server, and all that it answers until it closes.
enum RawConnection {
  /// - Parameters:
  ///   - later: sent once an answer begins.
  ///   - endsOutput: says, once all is sent, that no more comes.
  ///   - began: told when the first of them come.
  static func answers(
    to request: String, later: String? = nil, port: Int, endsOutput: Bool = false,
    began: Promise<Void> = Promise()
  ) async throws -> String {
    let text = Lock("")
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Collector(text: text, began: began))
        }
      }
      .connect(host: "127.0.0.1", port: port).get()
    // A server may end the connection before it has taken all.
    try? await channel.writeAndFlush(ByteBuffer(string: request))
    if let later {
      try await began.wait()
      try? await channel.writeAndFlush(ByteBuffer(string: later))
    }
    if endsOutput { try await channel.close(mode: .output) }
    try await channel.closeFuture.get()
    return text.withLock { $0 }
  }

  private final class Collector: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    private let text: Lock<String>
    private let began: Promise<Void>

    init(text: Lock<String>, began: Promise<Void>) { (self.text, self.began) = (text, began) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let part = String(buffer: unwrapInboundIn(data))
      text.withLock { $0 += part }
      began.complete(.success(()))
    }
  }
}
