public import AtomsyncCore
public import AtomsyncEngine
internal import HTTPTypes
public import Hummingbird
internal import Logging

/// The protocol's one URL: hands HTTP requests to an ``Atomsync/Authority`` and its answers back.
///
/// ``SyncServer`` serves it alone; an application adds it to its own router with ``addRoutes(to:path:)``.
public struct SyncEndpoint: Sendable {
  let authority: Authority
  let configuration: HTTPServerConfiguration
  let access: AccessController
  let negotiation: Negotiation

  /// - Parameters:
  ///   - authority: stays the caller's to close.
  ///   - codecs: beside Transit's three, which are always spoken.
  /// - Throws: ``HTTPServerError`` for a configuration that cannot be.
  public init(
    _ authority: Authority, configuration: HTTPServerConfiguration = HTTPServerConfiguration(),
    codecs: [any Codec] = []
  ) throws(HTTPServerError) {
    try configuration.validate()
    self.authority = authority
    self.configuration = configuration
    self.access = AccessController(configuration.users)
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

  /// Answers a request at the endpoint's path, whatever it is; an error is an answer too.
  public func respond(to request: Request) async -> Response {
    var context = RequestContext(request, negotiation, logger: configuration.logger)
    do {
      let response = try await answer(&context)
      return context.finished(response)
    } catch {
      return context.finished(error)
    }
  }

  // MARK: Parts

  private func answer(_ context: inout RequestContext) async throws -> Response {
    try context.checkMethod()
    try context.checkProtocol()
    let wanted = try context.negotiate(negotiation)
    let caller = try access.caller(authorization: context.request.headers[.authorization])
    context.user = caller.user?.name
    switch (context.request.method, wanted) {
    case (.post, _): return try await push(&context, caller)
    case (_, .codec): return try await pull(&context, caller)
    case (_, .eventStream): return try follow(&context, caller)
    }
  }

  private func pull(_ context: inout RequestContext, _ caller: Caller) async throws -> Response {
    let pull = try PullRequest(QueryParameters(context.request.uri.query ?? ""))
    context.group = pull.group
    try caller.check(group: pull.group)
    var page = try await authority.pull(pull)
    page.user = caller.user?.name
    return try context.answer(page)
  }

  private func push(_ context: inout RequestContext, _ caller: Caller) async throws -> Response {
    try caller.checkMayWrite()
    var push: PushRequest = try await context.message(limit: configuration.limits.bodyBytes)
    context.group = push.group
    if let problem = Names.problem(group: push.group) { throw ProtocolError(.invalidGroup, problem) }
    try caller.check(group: push.group)
    try caller.check(owner: push.user)
    if let user = caller.user { push.user = user.name }
    return try context.answer(try await authority.push(push))
  }

  private func follow(_ context: inout RequestContext, _ caller: Caller) throws -> Response {
    let parameters = try QueryParameters(context.request.uri.query ?? "")
    let live = try LiveRequest(parameters, lastEventID: context.request.headers[.lastEventID])
    context.group = live.groups.map(\.group).joined(separator: ",")
    for pull in live.groups { try caller.check(group: pull.group) }
    let stream = EventStream(
      endpoint: self, live: live, caller: caller, log: context.log, requestBody: context.request.body)
    return Response(
      status: .ok,
      headers: [.contentType: "text/event-stream", .acceptBuffering: "no"],
      body: stream.body)
  }
}
