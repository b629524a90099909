import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix

/// A server that takes the same requests, does nothing with them, and answers as many bytes: what there is to gain.
///
/// In a process of its own: `serve-bare-for-benchmark hummingbird|nio`.
enum BareServer: String, CaseIterable {
  case hummingbird
  case nio

  /// As long as the answer to a push of one document, or to a pull that finds nothing.
  static let answer = String(repeating: "x", count: 180)

  var title: String { self == .hummingbird ? "bare Hummingbird" : "bare NIO" }

  static func serve(_ arguments: [String]) async throws {
    guard let kind = arguments.first.flatMap(BareServer.init(rawValue:)) else { throw ChildError() }
    try await kind.run()
  }

  private func run() async throws {
    switch self {
    case .hummingbird: try await Self.runHummingbird()
    case .nio: try await Self.runNIO()
    }
  }

  private static func announce(_ port: Int?) {
    print(port ?? 0)
    fflush(nil)
    // Only now: who waits for input holds what flushing takes.
    Thread.detachNewThread {
      while readLine() != nil {}
      exit(0)
    }
  }

  private static func runHummingbird() async throws {
    let router = Router()
    router.get("sync") { _, _ in response() }
    router.post("sync") { request, _ in
      _ = try await request.body.collect(upTo: 8 << 20)
      return response()
    }
    var logger = Logger(label: "bare")
    logger.logLevel = .error
    let application = Application(
      router: router,
      configuration: ApplicationConfiguration(
        address: .hostname("127.0.0.1", port: 0), serverName: nil, backlog: 1024),
      onServerRunning: { announce($0.localAddress?.port) }, logger: logger)
    try await application.run()
  }

  private static func response() -> Response {
    Response(
      status: .ok, headers: [.contentType: "application/transit+json", .cacheControl: "no-store"],
      body: .init(byteBuffer: ByteBuffer(string: answer)))
  }

  private static func runNIO() async throws {
    let streams = BareStreams()
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(ChannelOptions.backlog, value: 1024)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
          try channel.pipeline.syncOperations.addHandler(BareHandler(streams))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    announce(channel.localAddress?.port)
    try await channel.closeFuture.get()
  }
}

private final class BareHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let streams: BareStreams
  private var follows = false
  private var body: [UInt8] = []

  init(_ streams: BareStreams) { self.streams = streams }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      follows = head.headers["accept"] == ["text/event-stream"]
      body = []
    case .body(let chunk): body.append(contentsOf: chunk.readableBytesView)
    case .end:
      if follows { return follow(context) }
      if !body.isEmpty { streams.send(body) }
      answer(context)
    }
  }

  private func answer(_ context: ChannelHandlerContext) {
    let headers: HTTPHeaders = [
      "Content-Type": "application/transit+json", "Cache-Control": "no-store",
      "Content-Length": "\(BareServer.answer.utf8.count)",
    ]
    write(context, headers, BareServer.answer)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
  }

  private func follow(_ context: ChannelHandlerContext) {
    write(context, ["Content-Type": "text/event-stream", "Cache-Control": "no-store"], ": bare\n\n")
    context.flush()
    streams.enter(context)
  }

  private func write(_ context: ChannelHandlerContext, _ headers: HTTPHeaders, _ body: String) {
    let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: headers)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil)
  }
}
