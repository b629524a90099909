public import Atomsync
public import AtomsyncCore
internal import HTTPTypes
public import Hummingbird
internal import Logging

/// The protocol's one URL: hands HTTP requests to an ``Atomsync/Authority`` and its answers back.
///
/// ``SyncServer`` serves it alone; an application adds it to its own router with ``addRoutes(to:path:)``.
public struct SyncEndpoint: Sendable {
  let authority: Authority
  let configuration: HTTPServerConfiguration
  let door: Door
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
    self.door = Door(configuration.users)
    self.negotiation = Negotiation(additional: codecs)
  }

  /// Lets others in from now on; `nil` lets everybody in.
  ///
  /// ## Behavior
  /// Requests that follow are judged anew, and live streams at once: a group that its user may not read any more
  /// ends with `event: revoked`; a stream whose token is not valid any more ends, to be opened with the new one.
  public func replaceUsers(_ users: Users?) {
    door.replace(users)
    authority.wakeLiveReaders()
  }

  /// Answers a request at the endpoint's path, whatever it is; an error is an answer too.
  public func respond(to request: Request) async -> Response {
    var exchange = Exchange(request, negotiation, logger: configuration.logger)
    do {
      let response = try await answer(&exchange)
      return exchange.finished(response)
    } catch {
      return exchange.finished(error)
    }
  }

  // MARK: Parts

  private func answer(_ exchange: inout Exchange) async throws -> Response {
    try exchange.checkMethod()
    try exchange.checkProtocol()
    let wanted = try exchange.negotiate(negotiation)
    let caller = try door.caller(authorization: exchange.request.headers[.authorization])
    exchange.user = caller.user?.name
    switch (exchange.request.method, wanted) {
    case (.post, _): return try await push(&exchange, caller)
    case (_, .codec): return try await pull(&exchange, caller)
    case (_, .eventStream): return try follow(&exchange, caller)
    }
  }

  private func pull(_ exchange: inout Exchange, _ caller: Caller) async throws -> Response {
    let pull = try PullRequest(QueryParameters(exchange.request.uri.query ?? ""))
    exchange.group = pull.group
    try caller.check(group: pull.group)
    var page = try await authority.pull(pull)
    page.user = caller.user?.name
    return try exchange.answer(page)
  }

  private func push(_ exchange: inout Exchange, _ caller: Caller) async throws -> Response {
    try caller.checkMayWrite()
    var push: PushRequest = try await exchange.message(limit: configuration.limits.bodyBytes)
    exchange.group = push.group
    if let problem = Names.problem(group: push.group) { throw ErrorBody(.invalidGroup, problem) }
    try caller.check(group: push.group)
    try caller.check(owner: push.user)
    if let user = caller.user { push.user = user.name }
    return try exchange.answer(try await authority.push(push))
  }

  private func follow(_ exchange: inout Exchange, _ caller: Caller) throws -> Response {
    let parameters = try QueryParameters(exchange.request.uri.query ?? "")
    let live = try LiveRequest(parameters, lastEventID: exchange.request.headers[.lastEventID])
    exchange.group = live.groups.map(\.group).joined(separator: ",")
    for pull in live.groups { try caller.check(group: pull.group) }
    let stream = EventStream(
      endpoint: self, live: live, caller: caller, log: exchange.log, requestBody: exchange.request.body)
    return Response(
      status: .ok,
      headers: [.contentType: "text/event-stream", .acceptBuffering: "no"],
      body: stream.body)
  }
}
