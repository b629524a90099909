internal import AtomsyncCore
internal import AtomsyncEngine
internal import HTTPTypes

/// The endpoint at its path; beside it `/health`, which says that the process answers, and `/ready`, that its store does.
struct ServerRoutes: Sendable {
  private let endpoint: SyncEndpoint
  private let path: String
  /// What is at other paths.
  private let others: @Sendable (EndpointRequest) async -> EndpointResponse?

  init(_ endpoint: SyncEndpoint, others: @escaping @Sendable (EndpointRequest) async -> EndpointResponse?) {
    self.endpoint = endpoint
    self.path = endpoint.configuration.path
    self.others = others
  }

  func respond(to request: EndpointRequest) async -> EndpointResponse {
    if request.isFor(path) || request.isFor(path + "/") { return await endpoint.respond(to: request) }
    return await elsewhere(request)
  }

  private func elsewhere(_ request: EndpointRequest) async -> EndpointResponse {
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
    let context = RequestContext(request, negotiation, logger: configuration.logger)
    try? context.negotiate(negotiation)
    return context.finished(
      ProtocolError(.notFound, "There is nothing here; the endpoint is \(configuration.path)."))
  }
}
