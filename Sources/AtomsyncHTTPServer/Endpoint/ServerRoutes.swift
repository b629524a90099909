internal import AtomsyncCore
internal import AtomsyncEngine
internal import HTTPTypes

/// The endpoint at its path; beside it `/health`, which says that the process answers, and `/ready`, that its store does.
struct ServerRoutes: Sendable {
  let endpoint: SyncEndpoint

  func respond(to request: EndpointRequest) async -> EndpointResponse {
    let wanted = endpoint.configuration.path
    if request.path == wanted || request.path.utf8.elementsEqual((wanted + "/").utf8) {
      return await endpoint.respond(to: request)
    }
    switch request.path {
    case "/health": return await health(request) { true }
    case "/ready": return await health(request) { await endpoint.authority.isReady() }
    default: return endpoint.notFound(request)
    }
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
