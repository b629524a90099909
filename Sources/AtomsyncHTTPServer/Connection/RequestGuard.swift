internal import HTTPTypes
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes
internal import NIOHTTPTypesHTTP1

/// What a connection owes to HTTP/1.1 before a request is looked at, and the requests and answers as HTTP/2 has them too.
///
/// - Exactly one `Host`, as RFC 9112 §3.2 demands; anything else is answered 400.
/// - Header fields of ``ServerLimits/headerBytes``; more are answered 431.
/// - `Expect: 100-continue` is answered with 100, once it is the request's turn (RFC 9110 §10.1.1).
/// - The connection is closed after the answer to a request that wants that, or when the server shuts down, and the answer
///   says so (RFC 9112 §9.6). What the client has sent beyond is read for a moment and dropped, since the answer would be lost to it otherwise.
/// - What cannot be parsed is answered 400. Behind requests that are not answered yet it ends the connection, after their answers.
/// - `Upgrade` is ignored (RFC 9110 §7.8). The decoder takes it for granted and reads no further on the connection, so a
///   new one takes its place.
final class RequestGuard: ChannelDuplexHandler {
  /// The request handler takes no more requests, and does not answer this many of those that it was given.
  struct InputDropped { let requests: Int }

  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  private let limits: ServerLimits
  private let isSecure: Bool
  private let chunks: ChunkOutput
  private let makeDecoder: () -> ByteToMessageHandler<HTTPRequestDecoder>
  private var decoder: ByteToMessageHandler<HTTPRequestDecoder>

  /// Those that are not answered.
  private var requests = 0
  private var version = HTTPVersion.http1_1
  private var ignoresInput = false
  /// The last request waits for a 100 before it goes on.
  private var owesContinue = false
  /// The last request may be the last that the decoder reads.
  private var mayEndDecoding = false
  /// So, and its end has come.
  private var mayHaveStopped = false
  /// After the last answer that is under way.
  private var closesAfterAnswer = false
  /// An answer says that it is the last.
  private var saidClose = false
  /// All is written, and what still comes is dropped, until then.
  private var lingering: Scheduled<Void>?

  /// How long what a client still sends is read once everything is answered.
  private static let lingerTime = TimeAmount.seconds(1)

  init(
    _ limits: ServerLimits, isSecure: Bool, _ chunks: ChunkOutput,
    _ decoder: ByteToMessageHandler<HTTPRequestDecoder>,
    makeDecoder: @escaping () -> ByteToMessageHandler<HTTPRequestDecoder>
  ) {
    self.limits = limits
    self.isSecure = isSecure
    self.chunks = chunks
    self.decoder = decoder
    self.makeDecoder = makeDecoder
  }

  // MARK: Requests

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if ignoresInput { return }
    switch unwrapInboundIn(data) {
    case .head(let head):
      // Nobody would read what came of it.
      if saidClose || closesAfterAnswer && requests == 0 {
        ignoresInput = true
        return
      }
      mayHaveStopped = false
      guard hasHost(head) else { return refuse(context, .badRequest) }
      guard size(head.headers) <= limits.headerBytes else {
        return refuse(context, .requestHeaderFieldsTooLarge)
      }
      guard let request = try? HTTPRequest(head, secure: isSecure, splitCookie: false) else {
        return refuse(context, .badRequest)
      }
      version = head.version
      if !head.isKeepAlive { closesAfterAnswer = true }
      owesContinue = head.version != .http1_0 && Self.expectsContinue(head)
      mayEndDecoding = Self.mayEndDecoding(head)
      if requests == 0 { sendContinue(context) }
      requests += 1
      context.fireChannelRead(wrapInboundOut(.head(request)))
    case .body(let bytes):
      owesContinue = false
      context.fireChannelRead(wrapInboundOut(.body(bytes)))
    case .end:
      owesContinue = false
      mayHaveStopped = mayEndDecoding
      if closesAfterAnswer { ignoresInput = true }
      context.fireChannelRead(wrapInboundOut(.end(nil)))
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if mayHaveStopped && !ignoresInput { renewDecoder(context) } else { context.fireChannelReadComplete() }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // After the last request the parser takes everything for an error.
    if error is HTTPParserError, ignoresInput { return }
    if error is HTTPParserError { refuse(context, .badRequest) }
    context.fireErrorCaught(error)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is ChannelShouldQuiesceEvent { closesAfterAnswer = true }
    if case ChannelEvent.inputClosed? = event as? ChannelEvent, lingering != nil {
      context.close(promise: nil)
    }
    context.fireUserInboundEventTriggered(event)
  }

  func triggerUserOutboundEvent(
    context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
  ) {
    guard let event = event as? InputDropped else {
      return context.triggerUserOutboundEvent(event, promise: promise)
    }
    requests -= event.requests
    ignoresInput = true
    closesAfterAnswer = true
    promise?.succeed()
  }

  func channelInactive(context: ChannelHandlerContext) {
    lingering?.cancel()
    context.fireChannelInactive()
  }

  // MARK: Answers

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(let response):
      context.write(wrapOutboundOut(.head(head(response))), promise: promise)
    case .body(let bytes): context.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: promise)
    case .end:
      requests -= 1
      var written = promise
      if closesAfterAnswer && requests == 0 {
        let last = promise ?? context.eventLoop.makePromise()
        last.futureResult.assumeIsolated().whenComplete { [self] _ in linger(context) }
        written = last
      }
      context.write(wrapOutboundOut(.end(nil)), promise: written)
      if requests == 1 { sendContinue(context) }
    }
  }

  private func head(_ response: HTTPResponse) -> HTTPResponseHead {
    var head = HTTPResponseHead(response)
    // An older client knows no chunks: its answer ends with the connection.
    if version == .http1_0, !head.headers.contains(name: "content-length") {
      head.version = version
      chunks.isFramed = false
      closesAfterAnswer = true
    }
    if closesAfterAnswer && requests == 1 {
      head.headers.replaceOrAdd(name: "Connection", value: "close")
      saidClose = true
    }
    return head
  }

  private func sendContinue(_ context: ChannelHandlerContext) {
    guard owesContinue else { return }
    owesContinue = false
    let interim = HTTPResponseHead(version: .http1_1, status: .continue)
    context.writeAndFlush(wrapOutboundOut(.head(interim)), promise: nil)
  }

  // MARK: The end

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    guard mode == .all, closesAfterAnswer, requests == 0 else {
      return context.close(mode: mode, promise: promise)
    }
    linger(context)
    context.channel.closeFuture.cascade(to: promise)
  }

  /// Closes in good order: a system that has not read all answers with a reset, which takes along what the client has not read.
  private func linger(_ context: ChannelHandlerContext) {
    guard lingering == nil else { return }
    ignoresInput = true
    // TLS says for itself that it ends, and waits for the other side to say so.
    if isSecure { return context.close(promise: nil) }
    lingering = context.eventLoop.assumeIsolated().scheduleTask(in: Self.lingerTime) {
      context.close(promise: nil)
    }
    context.close(mode: .output, promise: nil)
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
    closesAfterAnswer = true
    // If answers are under way, after them; they are of requests that came before.
    if requests > 0 { return }
    let headers: HTTPHeaders = ["Connection": "close", "Content-Length": "0"]
    let answer = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
    context.write(wrapOutboundOut(.head(answer)), promise: nil)
    let written = context.eventLoop.makePromise(of: Void.self)
    written.futureResult.assumeIsolated().whenComplete { [self] _ in linger(context) }
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
  }

  private static func expectsContinue(_ head: HTTPRequestHead) -> Bool {
    head.headers["expect"].contains { $0.lowercased() == "100-continue" }
  }

  /// Whether llhttp, the parser in the decoder, may read nothing after the request. Whether it does so depends on how the fields are
  /// written, so that is looked at, not foretold.
  private static func mayEndDecoding(_ head: HTTPRequestHead) -> Bool {
    head.method == .CONNECT
      || head.headers.contains(name: "upgrade")
        && head.headers["connection"].contains { $0.lowercased().contains("upgrade") }
  }

  /// Puts a new decoder behind the old one, which hands it what it has not read when it goes. Not in the middle of a reading, in which the
  /// old one may still go on.
  private func renewDecoder(_ context: ChannelHandlerContext) {
    mayHaveStopped = false
    let old = decoder
    let pipeline = context.pipeline.syncOperations
    decoder = makeDecoder()
    do { try pipeline.addHandler(decoder, position: .after(old)) } catch {
      return context.close(promise: nil)
    }
    pipeline.removeHandler(old).assumeIsolated().whenComplete { [self] _ in
      // The next one may have had an offer as well.
      context.eventLoop.assumeIsolated().execute { [self] in
        if context.channel.isActive { channelReadComplete(context: context) }
      }
    }
  }
}
