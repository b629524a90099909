public import AtomsyncCore
public import AtomsyncEngine
internal import HTTPTypes
internal import Logging

/// The protocol's one URL: hands HTTP requests to an `Authority` and its answers back.
///
/// ``SyncServer`` serves it alone; an application adds it to its own router, for Hummingbird with the library AtomsyncHummingbird.
public final class SyncEndpoint: Sendable {
  let authority: Authority
  let configuration: HTTPServerConfiguration
  let access: AccessController
  let negotiation: Negotiation
  let origins: OriginPolicy
  let streams: Quota
  let openStreams: OpenStreams
  let metrics = ServerMetrics()
  private let storeTrouble = StoreTrouble()
  private let bodies: Quota
  private let requests: RateLimiter?
  // Of the configuration, all of which would be copied where one of its settings is read.
  private let logger: Logger
  private let bodyBytes: Int

  /// - Parameters:
  ///   - authority: stays the caller's to close.
  ///   - configuration: users, limits and timeouts; host and port are not used.
  ///   - codecs: beside Transit's three, which are always spoken.
  /// - Throws: ``HTTPServerError`` for a configuration that cannot be.
  public init(
    _ authority: Authority, configuration: HTTPServerConfiguration = HTTPServerConfiguration(),
    codecs: [any Codec] = []
  ) throws(HTTPServerError) {
    try configuration.validate()
    self.authority = authority
    self.configuration = configuration
    let bounds = configuration.serverLimits
    self.access = AccessController(
      configuration.users, configuration.authenticator, wrongTokens: bounds.wrongTokens)
    self.origins = OriginPolicy(
      isLoopback: configuration.isLoopback, allowed: Set(configuration.corsOrigins.map { $0.lowercased() }))
    self.streams = Quota(total: bounds.streams, perHolder: bounds.streamsPerUser)
    self.openStreams = OpenStreams(configuration)
    self.bodies = Quota(total: bounds.bodyBytesInFlight)
    self.requests = bounds.requestsPerSecond.map { RateLimiter(capacity: $0, perSecond: Double($0)) }
    self.negotiation = Negotiation(additional: codecs)
    self.logger = configuration.logger
    self.bodyBytes = configuration.limits.bodyBytes
  }

  /// Lets others in from now on; `nil` lets everybody in.
  ///
  /// ## Behavior
  /// Requests that follow are judged anew, and live streams at once: a group that its user may not read any more
  /// ends with `event: revoked`; a stream whose token is not valid any more ends, to be opened with the new one.
  public func replaceUsers(_ users: Users?) {
    access.replace(users)
    authority.wakeLiveReaders()
  }

  /// Has live streams ask the ``Authenticator`` at once whether their users may still read, and no later pages go out before.
  public func recheckUsers() {
    access.recheck()
    authority.wakeLiveReaders()
  }

  /// Answers a request at the endpoint's path, whatever it is; an error is an answer too.
  package func respond(to request: EndpointRequest) async -> EndpointResponse {
    await RequestSpan.run(request.head) { await answer(request) }
  }

  /// Answers a GET beside the protocol's own by the same rules: who may ask, how often, and in which form.
  ///
  /// - Parameter message: what is asked for; what it throws is told as an error of the protocol.
  package func answer(
    _ request: EndpointRequest, with message: @Sendable (Inquiry) async throws -> any WireMessage
  ) async -> EndpointResponse {
    await answer(request, .inquiry) { context in
      if context.wantsEvents { throw ProtocolError(.notAcceptable, "This URL has no event stream.") }
      let inquiry = Inquiry(parameters: try QueryParameters(request.query), caller: context.caller)
      let answer = try await OffLoop.run { try await message(inquiry) }
      return try context.writer.answer(answer)
    }
  }

  private func answer(_ request: EndpointRequest) async -> EndpointResponse {
    let began = MonotonicTime.now
    let response = await answer(request, .sync) { context in
      if request.head.method == .post { return try await push(context) }
      return context.wantsEvents ? try follow(context) : try await pull(context)
    }
    metrics.answered(request.head.method, response.status, after: MonotonicTime.now - began)
    return response
  }

  // What is asynchronous has little between its awaits: each function of a request that waits keeps its own memory until the answer.

  /// Finds out who asks and for what, has `body` answer, and finishes the answer, which may be an error.
  private func answer(
    _ request: EndpointRequest, _ methods: AllowedMethods,
    _ body: (RequestContext) async throws -> EndpointResponse
  ) async -> EndpointResponse {
    let context = RequestContext(request, negotiation, logger: logger, methods: methods)
    do {
      if let preflight = try admit(context) { return finished(preflight, context) }
      context.caller = try await access.caller(request)
      try checkRate(context)
      return finished(try await body(context), context)
    } catch {
      return finished(error, context)
    }
  }

  // MARK: Parts

  /// Looks at what a request asks for, before it is known who sends it.
  ///
  /// - Returns: the answer to a browser that asks what it may send.
  private func admit(_ context: RequestContext) throws -> EndpointResponse? {
    if access.isOpen { try origins.check(context.request.head) }
    if let preflight = origins.preflight(context.request.head) { return preflight }
    try context.checkMethod()
    try context.checkProtocol()
    try context.negotiate(negotiation)
    return nil
  }

  private func checkRate(_ context: RequestContext) throws {
    guard let requests, let holder = context.user ?? context.request.peer.address else { return }
    guard requests.take(holder) else {
      throw ProtocolError(
        .tooManyRequests, "More requests than this server takes from one client. Try again later.")
    }
  }

  private func finished(_ answer: consuming EndpointResponse, _ context: RequestContext) -> EndpointResponse {
    var response = context.finished(answer)
    origins.mark(&response, for: context.request.head)
    return response
  }

  private func finished(_ error: any Error, _ context: RequestContext) -> EndpointResponse {
    storeTrouble.look(at: error, context.log)
    var response = context.finished(error)
    origins.mark(&response, for: context.request.head)
    return response
  }

  private func pull(_ context: RequestContext) async throws -> EndpointResponse {
    let pull = try pullRequest(context)
    var page: PullPage
    if pull.limit ?? 0 > OffLoop.shortDocuments {
      page = try await OffLoop.run { [authority] in try await authority.pull(pull) }
    } else {
      page = try await authority.pull(pull)
    }
    page.user = context.user
    metrics.pulled(page)
    if page.isLong {
      return try await OffLoop.run { [page, writer = context.writer] in try writer.answer(page) }
    }
    return try context.writer.answer(page)
  }

  private func pullRequest(_ context: RequestContext) throws -> PullRequest {
    let pull = try PullRequest(QueryParameters(context.request.query))
    context.group = pull.group
    try context.caller.check(group: pull.group)
    return pull
  }

  private func push(_ context: RequestContext) async throws -> EndpointResponse {
    try context.caller.checkMayWrite()
    var push: PushRequest = try await context.message(limit: bodyBytes, memory: bodies)
    // Rights may have been withdrawn while the body came.
    context.caller = try await access.confirmed(context.caller)
    try check(&push, context)
    metrics.pushTaken()
    defer { metrics.pushAnswered() }
    let answer = try await authority.push(push)
    metrics.pushed(answer)
    if answer.isLong {
      return try await OffLoop.run { [writer = context.writer] in try writer.answer(answer) }
    }
    return try context.writer.answer(answer)
  }

  /// Looks whether the caller may push this, and notes whose it is.
  private func check(_ push: inout PushRequest, _ context: RequestContext) throws {
    let caller = context.caller
    try caller.checkMayWrite()
    if let problem = Names.problem(group: push.group) { throw ProtocolError(.invalidGroup, problem) }
    context.group = push.group
    try caller.check(group: push.group)
    try caller.check(owner: push.user)
    if let user = caller.user { push.user = user.name }
  }

  private func follow(_ context: RequestContext) throws -> EndpointResponse {
    let caller = context.caller
    let parameters = try QueryParameters(context.request.query)
    let live = try LiveRequest(
      parameters, lastEventID: context.request.head.headerFields.value(of: .lastEventID),
      maximumGroups: configuration.serverLimits.groupsPerStream)
    let others = live.groups.count - 1
    context.group = live.groups[0].group + (others > 0 ? " and \(others) more" : "")
    for pull in live.groups { try caller.check(group: pull.group) }
    let holder = caller.user?.name ?? context.request.peer.address ?? ""
    guard streams.take(for: holder) else {
      throw ProtocolError(.unavailable, "Too many live streams are open. Try again later.")
    }
    _ = context.request.takeBody()  // what nobody reads is not kept for as long as the stream is open
    let stream = EventStream(
      self, live, caller, log: context.log, place: StreamPlace(streams, holder),
      isCompressed: context.request.allowsGzip)
    var headers: HTTPFields = [
      .contentType: "text/event-stream", .acceptBuffering: "no", .vary: "Accept-Encoding",
    ]
    if stream.isCompressed { headers[.contentEncoding] = "gzip" }
    return EndpointResponse(headers, stream)
  }
}

extension PullPage {
  /// Whether it takes long to write.
  fileprivate var isLong: Bool { documents.areLong }
}

extension PushAnswer {
  /// Whether it takes long to write. Rejected documents come with what is stored.
  fileprivate var isLong: Bool {
    accepted.count > OffLoop.shortDocuments || rejected.compactMap(\.current).areLong
  }
}

extension [Document] {
  fileprivate var areLong: Bool {
    count > OffLoop.shortDocuments || reduce(0) { $0 + $1.content.byteCount } > OffLoop.shortBytes
  }
}
