import AtomsyncCore
import NIOCore
import NIOPosix

/// Stands between a storage and its server, and cuts connections where it hurts.
final class CuttingProxy: Sendable {
  /// What becomes of the next transaction that is asked to commit.
  enum Fate: Sendable {
    case passes
    /// The server never hears of it.
    case requestIsLost
    /// The server commits, and nobody hears of it.
    case answerIsLost
    /// The same, and it is asked to commit only a while after the connection is gone for the client.
    case requestIsLate
    /// Nothing that is asked on a new connection is answered.
    case silentOnceReady
  }

  private let fate = Lock(Fate.passes)
  private let cuts = Lock(0)
  private let channel: any Channel

  var port: Int { channel.localAddress?.port ?? 0 }
  /// How many connections were cut.
  var cutCount: Int { cuts.withLock { $0 } }

  init(toPort upstream: Int) async throws {
    let (fate, cuts) = (fate, cuts)
    channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .childChannelOption(.autoRead, value: false)
      .childChannelInitializer { client in
        ClientBootstrap(group: client.eventLoop)
          .connect(host: "127.0.0.1", port: upstream)
          .flatMapThrowing { server in
            let cut = Lock(false)
            try server.pipeline.syncOperations.addHandler(Answers(to: client, cut, cuts))
            try client.pipeline.syncOperations.addHandler(Requests(to: server, cut, fate, cuts))
            client.setOption(.autoRead, value: true).whenComplete { _ in }
          }
      }
      .bind(host: "127.0.0.1", port: 0).get()
  }

  /// Decides once; the transactions after that pass.
  func decide(_ fate: Fate) { self.fate.withLock { $0 = fate } }

  func close() async throws { try await channel.close() }

  private final class Requests: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let server: any Channel
    private let cut: Lock<Bool>
    private let fate: Lock<Fate>
    private let cuts: Lock<Int>
    private var isLate = false

    init(to server: any Channel, _ cut: Lock<Bool>, _ fate: Lock<Fate>, _ cuts: Lock<Int>) {
      (self.server, self.cut, self.fate, self.cuts) = (server, cut, fate, cuts)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let buffer = unwrapInboundIn(data)
      // A `Bind` of the unnamed portal to the statement of that name.
      if self.fate.withLock({ $0 == .silentOnceReady }) {
        // A message of a session begins with its type; one that opens it, with its length.
        if buffer.readableBytesView.first != 0 { return }
      }
      let commits = buffer.readableBytesView.firstRange(of: Array("\0commit\0".utf8)) != nil
      let fate =
        !commits
        ? .passes
        : self.fate.withLock { fate in
          defer { fate = .passes }
          return fate
        }
      switch fate {
      case .passes, .silentOnceReady: break
      case .answerIsLost: cut.withLock { $0 = true }
      case .requestIsLost:
        cuts.withLock { $0 += 1 }
        server.close(promise: nil)
        context.close(promise: nil)
        return
      case .requestIsLate:
        cuts.withLock { $0 += 1 }
        isLate = true
        context.close(promise: nil)
        server.eventLoop.scheduleTask(in: .milliseconds(300)) { [server] in
          server.writeAndFlush(buffer).whenComplete { _ in
            server.eventLoop.scheduleTask(in: .milliseconds(300)) { server.close(promise: nil) }
          }
        }
        return
      }
      server.writeAndFlush(buffer, promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
      if !isLate { server.close(promise: nil) }
    }
  }

  private final class Answers: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let client: any Channel
    private let cut: Lock<Bool>
    private let cuts: Lock<Int>

    init(to client: any Channel, _ cut: Lock<Bool>, _ cuts: Lock<Int>) {
      (self.client, self.cut, self.cuts) = (client, cut, cuts)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      guard !cut.withLock({ $0 }) else {
        cuts.withLock { $0 += 1 }
        client.close(promise: nil)
        context.close(promise: nil)
        return
      }
      client.writeAndFlush(unwrapInboundIn(data), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { client.close(promise: nil) }
  }
}
