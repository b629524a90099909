internal import AtomsyncCore
internal import AtomsyncEngine
internal import HTTPTypes

/// The endpoint at its path; beside it `/health`, which says that the process answers, and `/ready`, that its store does.
struct ServerRoutes: Sendable {
  let endpoint: SyncEndpoint
  /// What is at other paths.
  let others: @Sendable (EndpointRequest) async -> EndpointResponse?

  func respond(to request: EndpointRequest) async -> EndpointResponse {
    let path = endpoint.configuration.path
    if request.isFor(path) || request.isFor(path + "/") { return await endpoint.respond(to: request) }
    if request.isFor("/health") { return await health(request) { true } }
    if request.isFor("/ready") { return await health(request) { await endpoint.authority.isReady() } }
    return await others(request) ?? endpoint.notFound(request)
  }

  private func health(_ request: EndpointRequest, _ isFine: () async -> Bool) async -> EndpointResponse {
    guard request.head.method == .get || request.head.method == .head else {
      return EndpointResponse(.methodNotAllowed, [.allow: "GET, HEAD"])
    }
    return EndpointResponse(await isFine() ? .ok : .serviceUnavailable)
  }
}

extension SyncEndpoint {
  func notFound(_ request: EndpointRequest) -> EndpointResponse {
    var context = RequestContext(request, negotiation, logger: configuration.logger)
    _ = try? context.negotiate(negotiation)
    return context.finished(
      ProtocolError(.notFound, "There is nothing here; the endpoint is \(configuration.path)."))
  }
}
