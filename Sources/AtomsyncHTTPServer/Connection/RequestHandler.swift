internal import HTTPTypes
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes

/// Takes the requests of a connection, or the one of an HTTP/2 stream, one after the other: a task for each, its answer, then
/// the next.
///
/// ## Behavior
/// - A request is handed to its task when all of it has come, or all that the connection had of it for now.
/// - What a client has sent of further requests waits, and the connection is not read meanwhile; neither is it while the
///   task does not take the body.
/// - The next request waits until the system has taken the answer, so that a client that reads none is asked nothing.
/// - What follows a live stream is not answered, and the connection ends with it: it would wait for as long as the stream is open.
/// - A connection without a request, or with an unfinished one, or with an answer that is not read, is closed after the idle
///   timeout.
final class RequestHandler: ChannelDuplexHandler {
  typealias InboundIn = HTTPRequestPart
  typealias OutboundIn = Never
  typealias OutboundOut = HTTPResponsePart
  typealias Responder = @Sendable (EndpointRequest) async -> EndpointResponse

  /// A request and what has become of it.
  private final class Exchange {
    /// Until its task has it.
    var head: HTTPRequest?
    /// What has come of its body before its task has it.
    var pieces = BodyPieces()
    /// A body whose task has not waited for all of it.
    var body: IncomingBody?
    var task: Task<Void, Never>?
    /// How its body has ended.
    var end: Result<Void, any Error>?
    /// The system has taken all of the answer.
    var isAnswered = false
    /// Its answer is written and not taken yet.
    var isWriting = false
    var stream: EventStream?

    init(_ head: HTTPRequest) { self.head = head }

    var isReceived: Bool { end != nil }

    func receive(_ piece: ByteBuffer) {
      if let body { body.receive(piece) } else { pieces.append(piece) }
    }

    func endBody(_ result: Result<Void, any Error>) {
      end = result
      body?.end(result)
    }
  }

  private struct ConnectionClosed: Error {}

  private let respond: Responder
  private let executor: LoopExecutor
  private let idleTimeout: TimeAmount
  /// For an HTTP/1.1 connection.
  private let chunks: ChunkOutput?
  private var context: ChannelHandlerContext?

  private var exchange: Exchange?
  /// Parts of requests that follow the one in hand.
  private var pipelined = CircularBuffer<HTTPRequestPart>()
  /// No request is taken any more: more of them wait than may, or some follow a live stream.
  private var dropsInput = false
  private var isReadHeld = false
  private var isFlushDue = false
  /// Nothing more comes.
  private var isInputClosed = false
  /// The server shuts down.
  private var isQuiescing: Bool
  /// The connection has been told to close, which may take a while.
  private var isClosing = false

  private var lastActivity = NIODeadline.now()
  private var timer: Scheduled<Void>?

  init(
    _ executor: LoopExecutor, _ chunks: ChunkOutput? = nil, idleTimeout: Duration, isQuiescing: Bool,
    respond: @escaping Responder
  ) {
    self.executor = executor
    self.chunks = chunks
    self.idleTimeout = TimeAmount(idleTimeout)
    self.isQuiescing = isQuiescing
    self.respond = respond
  }

  // MARK: The connection

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    watchIdleness(context, after: idleTimeout)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    timer?.cancel()
    breakOff()
    self.context = nil
  }

  func channelInactive(context: ChannelHandlerContext) {
    timer?.cancel()
    breakOff()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // What came before it is answered.
    if error is HTTPParserError { endInput() } else { close() }
  }

  private func close() {
    isClosing = true
    context?.close(promise: nil)
    readOn()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case is ChannelShouldQuiesceEvent:
      isQuiescing = true
      exchange?.stream?.watch.end(.shutdown)
      if exchange == nil { close() }
    case ChannelEvent.inputClosed: endInput()
    default: context.fireUserInboundEventTriggered(event)
    }
  }

  /// Nothing more comes, not even the rest of a request.
  private func endInput() {
    isInputClosed = true
    guard let exchange else { return close() }
    exchange.stream?.watch.end(.left)
    breakOffBody()
    if exchange.isAnswered { goOn() } else { start() }
  }

  /// Ends a body of which nothing more comes.
  private func breakOffBody() {
    guard isInputClosed, let exchange, !exchange.isReceived else { return }
    exchange.endBody(.failure(ConnectionClosed()))
  }

  /// The client has gone: what is done for it is of no use any more.
  private func breakOff() {
    guard let exchange else { return }
    self.exchange = nil
    pipelined.removeAll()
    exchange.body?.end(.failure(ConnectionClosed()))
    if let stream = exchange.stream { stream.watch.end(.left) } else { exchange.task?.cancel() }
  }

  // MARK: Requests

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    // Nobody would be told what became of it.
    if isClosing || dropsInput { return }
    let part = unwrapInboundIn(data)
    guard let exchange, exchange.isReceived else { return receive(part) }
    if exchange.stream == nil { pipeline(part) } else { drop([part]) }
  }

  /// Takes no request any more, and does not answer these. The connection ends with the last answer.
  private func drop(_ parts: some Sequence<HTTPRequestPart>) {
    dropsInput = true
    let requests = parts.count { if case .head = $0 { true } else { false } }
    context?.triggerUserOutboundEvent(RequestGuard.InputDropped(requests: requests), promise: nil)
  }

  /// Keeps a part of a request that follows the one in hand.
  private func pipeline(_ part: HTTPRequestPart) {
    if case .body(let piece) = part, case .body(var waiting)? = pipelined.last {
      _ = pipelined.removeLast()  // so that appending does not copy the buffer
      let isGathered = waiting.gather(piece)
      pipelined.append(.body(waiting))
      if isGathered { return }
    }
    pipelined.append(part)
    guard pipelined.count >= Self.mostPipelined else { return }
    // The last of them may not be complete.
    isInputClosed = true
    drop([])
  }

  /// The most parts of requests that wait behind the one in hand; a request has two or more. Each takes a few hundred bytes, and who sends them
  /// is not known yet.
  private static let mostPipelined = 1024

  func channelReadComplete(context: ChannelHandlerContext) {
    start()
    context.fireChannelReadComplete()
  }

  func read(context: ChannelHandlerContext) {
    if mayRead { context.read() } else { isReadHeld = true }
  }

  private var mayRead: Bool {
    // What still comes then is dropped, and has to be read for the answer not to be lost.
    if isClosing { return true }
    return !dropsInput && pipelined.isEmpty && exchange?.body?.hasRoom ?? true
  }

  private func readOn() {
    guard isReadHeld, mayRead, let context else { return }
    isReadHeld = false
    context.read()
  }

  private func receive(_ part: HTTPRequestPart) {
    lastActivity = .now()
    switch part {
    case .head(let head):
      // A parser that has lost its place: none begins before the one before it has ended.
      if exchange != nil { return close() }
      exchange = Exchange(head)
    case .body(let piece): exchange?.receive(piece)
    case .end:
      guard let exchange else { return }
      exchange.endBody(.success(()))
      if exchange.isAnswered { goOn() } else { start() }
    }
  }

  /// The body for the request's task, which takes over what has come of it.
  private func body(of exchange: Exchange, _ loop: any EventLoop) -> EndpointRequest.Body {
    let pieces = exchange.pieces.takeAll()
    if case .success? = exchange.end {
      var whole = pieces.first ?? ByteBuffer()
      for piece in pieces.dropFirst() { whole.writeImmutableBuffer(piece) }
      return .whole(whole)
    }
    let handler = NIOLoopBound(self, eventLoop: loop)
    let body = IncomingBody { loop.execute { handler.value.readOn() } }
    for piece in pieces { body.receive(piece) }
    if let end = exchange.end { body.end(end) }
    exchange.body = body
    return .pieces(body)
  }

  /// Hands the request to a task, unless that was done.
  private func start() {
    guard let context, let exchange, let head = exchange.head else { return }
    exchange.head = nil
    let body = body(of: exchange, context.eventLoop)
    let request = EndpointRequest(head, body: body, from: Peer(context.channel))
    let bound = NIOLoopBound((self, exchange), eventLoop: context.eventLoop)
    exchange.task = Task(executorPreference: executor) { [respond, loop = context.eventLoop] in
      let response = await respond(request)
      await LoopExecutor.rejoin(loop)
      let (handler, exchange) = bound.value
      if let large = handler.answer(exchange, response) { await handler.write(large, of: exchange) }
    }
  }

  // MARK: Answers

  /// The most that is written at once, so that it can be seen whether the reader takes it.
  private static let pieceBytes = 256 << 10

  /// - Returns: a body that is too large to be written at once.
  private func answer(_ exchange: Exchange, _ response: consuming EndpointResponse) -> ByteBuffer? {
    do {
      lastActivity = .now()
      response.headers.append(HTTPField(name: .date, value: HTTPDate.now))
      try write(.head(HTTPResponse(status: response.status, headerFields: response.headers)))
      switch response.body {
      case .bytes(let bytes):
        exchange.isWriting = true
        if bytes.readableBytes > Self.pieceBytes { return bytes }
        if bytes.readableBytes > 0 { try write(.body(bytes)) }
        end(exchange)
      case .events(let stream): try follow(exchange, stream)
      }
    } catch {
      breakOffAnswer()
    }
    return nil
  }

  private func write(_ bytes: ByteBuffer, of exchange: Exchange) async {
    var rest = bytes
    do {
      while rest.readableBytes > 0 {
        guard let piece = rest.readSlice(length: min(Self.pieceBytes, rest.readableBytes)) else { break }
        try await flush(.body(piece))
      }
      end(exchange)
    } catch {
      breakOffAnswer()
    }
  }

  /// Hands a live stream to a task of its own: what was needed to answer the request is let go of, for as long as the stream is open.
  private func follow(_ exchange: Exchange, _ stream: EventStream) throws {
    exchange.stream = stream
    exchange.body?.discard()
    if !pipelined.isEmpty {
      drop(pipelined)
      pipelined = CircularBuffer()
    }
    readOn()
    // It may have happened before there was a stream to tell.
    if isQuiescing { stream.watch.end(.shutdown) }
    if isInputClosed { stream.watch.end(.left) }
    let output = ChannelOutput(self, try connected.channel)
    let bound = NIOLoopBound((self, exchange), eventLoop: try connected.eventLoop)
    exchange.task = Task(executorPreference: executor) {
      let isWhole: Bool
      do {
        try await stream.run(output)
        isWhole = true
      } catch { isWhole = false }
      await output.rejoin()
      let (handler, exchange) = bound.value
      if isWhole { handler.end(exchange) } else { handler.breakOffAnswer() }
    }
  }

  /// Ends the answer. The task need not wait until the system has taken it.
  private func end(_ exchange: Exchange) {
    guard let context, self.exchange != nil else { return breakOffAnswer() }
    exchange.isWriting = true
    lastActivity = .now()
    let promise = context.eventLoop.makePromise(of: Void.self)
    promise.futureResult.assumeIsolated().whenComplete { [self] written in
      if case .success = written { answered(exchange) } else { breakOffAnswer() }
    }
    context.write(wrapOutboundOut(.end(nil)), promise: promise)
    flushSoon()
  }

  /// What was begun cannot be taken back. The client gets what was written, and sees that it is not complete.
  private func breakOffAnswer() {
    context?.flush()
    close()
  }

  private var connected: ChannelHandlerContext {
    get throws {
      guard let context, exchange != nil else { throw ConnectionClosed() }
      return context
    }
  }

  private func write(_ part: HTTPResponsePart) throws {
    try connected.write(wrapOutboundOut(part), promise: nil)
  }

  /// Returns once the system has taken everything up to this part.
  private func flush(_ part: HTTPResponsePart) async throws {
    try await taken { $0.write(wrapOutboundOut(part), promise: $1) }
  }

  fileprivate func flush(_ frame: EventFrame) async throws {
    guard let chunks, !frame.isEmpty else { return try await flush(.body(frame.bytes)) }
    try await taken { chunks.write(frame, promise: $1) }
  }

  fileprivate func writeSoon(_ frame: EventFrame) throws {
    let context = try connected
    if let chunks {
      chunks.write(frame, promise: nil)
    } else {
      context.write(wrapOutboundOut(.body(frame.bytes)), promise: nil)
    }
    flushSoon()
  }

  private func taken(
    _ write: (ChannelHandlerContext, EventLoopPromise<Void>) -> Void
  ) async throws {
    let context = try connected
    let promise = context.eventLoop.makePromise(of: Void.self)
    write(context, promise)
    context.flush()
    try await promise.futureResult.get()
    lastActivity = .now()
  }

  /// Hands what is written to the system once all connections of the event loop that have something to write have written it. A client on
  /// this machine that is woken for each answer takes the processor from the server as often.
  private func flushSoon() {
    guard !isFlushDue, let context else { return }
    isFlushDue = true
    context.eventLoop.assumeIsolated().execute { [self] in
      isFlushDue = false
      self.context?.flush()
    }
  }

  private func answered(_ exchange: Exchange) {
    guard exchange === self.exchange else { return }
    lastActivity = .now()
    exchange.isWriting = false
    exchange.isAnswered = true
    exchange.body?.discard()
    if exchange.isReceived { goOn() } else { readOn() }
  }

  /// Turns to the next request.
  private func goOn() {
    exchange = nil
    // What was taken before the shutdown, or the client's end, is answered.
    if isQuiescing || isInputClosed || dropsInput, pipelined.isEmpty { return close() }
    while exchange?.isReceived != true, let part = pipelined.popFirst() { receive(part) }
    breakOffBody()
    start()
    readOn()
  }

  // MARK: Idleness

  private func watchIdleness(_ context: ChannelHandlerContext, after delay: TimeAmount) {
    timer = context.eventLoop.assumeIsolated().scheduleTask(in: delay) { [self] in
      let idle = waitsForClient ? NIODeadline.now() - lastActivity : .zero
      if idle >= idleTimeout { return close() }
      watchIdleness(context, after: idleTimeout - idle)
    }
  }

  /// Whether the client is to do something. For a live stream it is up to its ``StreamWatch``.
  private var waitsForClient: Bool {
    guard let exchange else { return true }
    return !exchange.isReceived || exchange.isWriting || exchange.isAnswered
  }
}

/// A live stream's connection.
struct ChannelOutput: EventOutput {
  private let handler: NIOLoopBound<RequestHandler>
  private let channel: any Channel

  fileprivate init(_ handler: RequestHandler, _ channel: any Channel) {
    self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
    self.channel = channel
  }

  fileprivate func rejoin() async { await LoopExecutor.rejoin(channel.eventLoop) }

  func write(_ frame: EventFrame) async throws {
    await rejoin()
    try await handler.value.flush(frame)
  }

  func writeSoon(_ frame: EventFrame) async throws {
    await rejoin()
    try handler.value.writeSoon(frame)
  }

  func breakOff() { channel.close(promise: nil) }
}
