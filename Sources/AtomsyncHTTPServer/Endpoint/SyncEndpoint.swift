public import AtomsyncCore
public import AtomsyncEngine
internal import HTTPTypes
internal import Logging

/// The protocol's one URL: hands HTTP requests to an `Authority` and its answers back.
///
/// ``SyncServer`` serves it alone; an application adds it to its own router, for Hummingbird with the library AtomsyncHummingbird.
public struct SyncEndpoint: Sendable {
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
    await answer(request, .inquiry) { context, wanted, caller in
      guard case .codec = wanted else {
        throw ProtocolError(.notAcceptable, "This URL has no event stream.")
      }
      let inquiry = Inquiry(parameters: try QueryParameters(request.query), caller: caller)
      let answer = try await OffLoop.run(if: true) { try await message(inquiry) }
      return try context.answer(answer)
    }
  }

  private func answer(_ request: EndpointRequest) async -> EndpointResponse {
    let began = ContinuousClock.now
    let response = await answer(request, .sync) { context, wanted, caller in
      switch (request.head.method, wanted) {
      case (.post, _): try await push(&context, caller)
      case (_, .codec): try await pull(&context, caller)
      case (_, .eventStream): try follow(&context, caller)
      }
    }
    metrics.answered(request.head.method, response.status, after: ContinuousClock.now - began)
    return response
  }

  /// Finds out who asks and for what, has `body` answer, and finishes the answer, which may be an error.
  private func answer(
    _ request: EndpointRequest, _ methods: AllowedMethods,
    _ body: (inout RequestContext, Negotiation.Answer, Caller) async throws -> EndpointResponse
  ) async -> EndpointResponse {
    var context = RequestContext(request, negotiation, logger: configuration.logger, methods: methods)
    var response: EndpointResponse
    do {
      let answer = try await admit(&context, body)
      response = context.finished(answer)
    } catch {
      storeTrouble.look(at: error, context.log)
      response = context.finished(error)
    }
    origins.mark(&response, for: request.head)
    return response
  }

  // MARK: Parts

  private func admit(
    _ context: inout RequestContext,
    _ body: (inout RequestContext, Negotiation.Answer, Caller) async throws -> EndpointResponse
  ) async throws -> EndpointResponse {
    if access.isOpen { try origins.check(context.request.head) }
    if let preflight = origins.preflight(context.request.head) { return preflight }
    try context.checkMethod()
    try context.checkProtocol()
    let wanted = try context.negotiate(negotiation)
    let caller = try await caller(&context)
    return try await body(&context, wanted, caller)
  }

  private func caller(_ context: inout RequestContext) async throws -> Caller {
    let caller = try await access.caller(
      context.request.head, address: context.request.peer.address)
    context.user = caller.user?.name
    if let requests, let holder = context.user ?? context.request.peer.address, !requests.take(holder) {
      throw ProtocolError(
        .tooManyRequests, "More requests than this server takes from one client. Try again later.")
    }
    return caller
  }

  private func pull(_ context: inout RequestContext, _ caller: Caller) async throws -> EndpointResponse {
    let pull = try PullRequest(QueryParameters(context.request.query))
    context.group = pull.group
    try caller.check(group: pull.group)
    let isLong = pull.limit ?? 0 > OffLoop.shortDocuments
    let page = try await OffLoop.run(if: isLong) {
      var page = try await authority.pull(pull)
      page.user = caller.user?.name
      return page
    }
    metrics.pulled(page)
    return try await OffLoop.run(if: page.isLong) { [context] in try context.answer(page) }
  }

  private func push(_ context: inout RequestContext, _ caller: Caller) async throws -> EndpointResponse {
    try caller.checkMayWrite()
    var push: PushRequest = try await context.message(limit: configuration.limits.bodyBytes, memory: bodies)
    // Rights may have been withdrawn while the body came.
    let caller = try await access.confirmed(caller)
    try caller.checkMayWrite()
    if let problem = Names.problem(group: push.group) { throw ProtocolError(.invalidGroup, problem) }
    context.group = push.group
    try caller.check(group: push.group)
    try caller.check(owner: push.user)
    if let user = caller.user { push.user = user.name }
    metrics.pushTaken()
    defer { metrics.pushAnswered() }
    let answer = try await authority.push(push)
    metrics.pushed(answer)
    return try await OffLoop.run(if: answer.isLong) { [context] in try context.answer(answer) }
  }

  private func follow(_ context: inout RequestContext, _ caller: Caller) throws -> EndpointResponse {
    let parameters = try QueryParameters(context.request.query)
    let live = try LiveRequest(
      parameters, lastEventID: context.request.head.headerFields[.lastEventID],
      maximumGroups: configuration.serverLimits.groupsPerStream)
    let others = live.groups.count - 1
    context.group = live.groups[0].group + (others > 0 ? " and \(others) more" : "")
    for pull in live.groups { try caller.check(group: pull.group) }
    let holder = caller.user?.name ?? context.request.peer.address ?? ""
    guard streams.take(for: holder) else {
      throw ProtocolError(.unavailable, "Too many live streams are open. Try again later.")
    }
    let stream = EventStream(
      watch: StreamWatch(configuration, expires: caller.user?.expires), endpoint: self, live: live,
      caller: caller,
      log: context.log, place: StreamPlace(streams, holder), isCompressed: context.allowsGzip)
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
