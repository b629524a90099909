internal import HTTPTypes
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes
internal import NIOHTTPTypesHTTP1

/// What a connection owes to HTTP/1.1 before a request is looked at, and the requests and answers as HTTP/2 has them too.
///
/// - Exactly one `Host`, as RFC 9112 §3.2 demands; anything else is answered 400.
/// - Header fields of ``ServerLimits/headerBytes``; more are answered 431.
/// - `Expect: 100-continue` is answered with 100, unless an answer is under way (RFC 9110 §10.1.1).
/// - The connection is closed after the answer to a request that wants that, or when the server shuts down, and the answer
///   says so (RFC 9112 §9.6).
/// - What cannot be parsed is answered 400.
/// - `Upgrade` is ignored (RFC 9110 §7.8). The decoder takes it for granted and reads no further on the connection, so a
///   new one takes its place.
final class RequestGuard: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  private let limits: ServerLimits
  private let isSecure: Bool
  private let makeDecoder: () -> ByteToMessageHandler<HTTPRequestDecoder>
  private var decoder: ByteToMessageHandler<HTTPRequestDecoder>

  private var requests = 0
  private var ignoresInput = false
  private var endsDecoding = false
  /// After the last answer that is under way.
  private var closesAfterAnswer = false

  init(
    _ limits: ServerLimits, isSecure: Bool, _ decoder: ByteToMessageHandler<HTTPRequestDecoder>,
    makeDecoder: @escaping () -> ByteToMessageHandler<HTTPRequestDecoder>
  ) {
    self.limits = limits
    self.isSecure = isSecure
    self.decoder = decoder
    self.makeDecoder = makeDecoder
  }

  // MARK: Requests

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if ignoresInput { return }
    switch unwrapInboundIn(data) {
    case .head(let head):
      guard hasHost(head) else { return refuse(context, .badRequest) }
      guard size(head.headers) <= limits.headerBytes else {
        return refuse(context, .requestHeaderFieldsTooLarge)
      }
      guard let request = try? HTTPRequest(head, secure: isSecure, splitCookie: false) else {
        return refuse(context, .badRequest)
      }
      if requests == 0, head.headers["expect"].contains(where: { $0.lowercased() == "100-continue" }) {
        let interim = HTTPResponseHead(version: head.version, status: .continue)
        context.writeAndFlush(wrapOutboundOut(.head(interim)), promise: nil)
      }
      endsDecoding = Self.endsDecoding(head)
      if !head.isKeepAlive { closesAfterAnswer = true }
      requests += 1
      context.fireChannelRead(wrapInboundOut(.head(request)))
    case .body(let bytes): context.fireChannelRead(wrapInboundOut(.body(bytes)))
    case .end:
      context.fireChannelRead(wrapInboundOut(.end(nil)))
      if closesAfterAnswer { ignoresInput = true } else if endsDecoding { renewDecoder(context) }
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // After the last request the parser takes everything for an error.
    if error is HTTPParserError, ignoresInput { return }
    if error is HTTPParserError { refuse(context, .badRequest) }
    context.fireErrorCaught(error)
  }

  // MARK: Answers

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is ChannelShouldQuiesceEvent { closesAfterAnswer = true }
    context.fireUserInboundEventTriggered(event)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(let response):
      var head = HTTPResponseHead(response)
      if closesAfterAnswer && requests == 1 { head.headers.replaceOrAdd(name: "Connection", value: "close") }
      context.write(wrapOutboundOut(.head(head)), promise: promise)
    case .body(let bytes): context.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: promise)
    case .end:
      requests -= 1
      var written = promise
      if closesAfterAnswer && requests == 0 {
        let last = promise ?? context.eventLoop.makePromise()
        last.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        written = last
      }
      context.write(wrapOutboundOut(.end(nil)), promise: written)
    }
  }

  // MARK: Parts

  private func hasHost(_ head: HTTPRequestHead) -> Bool {
    let hosts = head.headers["host"]
    return hosts.count == 1 && !hosts[0].isEmpty || hosts.isEmpty && head.version == .http1_0
  }

  /// As it was sent: with a colon, a space and a line end for each.
  private func size(_ fields: HTTPHeaders) -> Int {
    fields.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
  }

  private func refuse(_ context: ChannelHandlerContext, _ status: HTTPResponseStatus) {
    ignoresInput = true
    if requests > 0 {
      // After the answers that are under way; they are of requests that came before.
      closesAfterAnswer = true
      return
    }
    let headers: HTTPHeaders = ["Connection": "close", "Content-Length": "0"]
    let answer = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
    context.write(wrapOutboundOut(.head(answer)), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    context.close(promise: nil)
  }

  /// Whether llhttp, the parser in the decoder, reads nothing after the request.
  private static func endsDecoding(_ head: HTTPRequestHead) -> Bool {
    if head.method == .CONNECT { return true }
    return head.headers.contains(name: "upgrade")
      && head.headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
  }

  /// Puts a new decoder behind the old one, which hands it what it has not read when it goes.
  private func renewDecoder(_ context: ChannelHandlerContext) {
    let old = decoder
    let pipeline = context.pipeline.syncOperations
    decoder = makeDecoder()
    do { try pipeline.addHandler(decoder, position: .after(old)) } catch {
      return context.close(promise: nil)
    }
    // What it hands on came in a reading that is over for those who wait for the end of one.
    pipeline.removeHandler(old).assumeIsolated().whenComplete { _ in
      if context.channel.isActive { context.fireChannelReadComplete() }
    }
  }
}
