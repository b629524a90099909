internal import AtomsyncCore
internal import AtomsyncEngine
internal import HTTPTypes
public import Hummingbird

extension SyncEndpoint {
  /// Adds the endpoint to an application's own router.
  ///
  /// ```swift
  /// let endpoint = try SyncEndpoint(authority, configuration: configuration)
  /// endpoint.addRoutes(to: router, path: "sync")
  /// ```
  /// The listener is then the application's: ``HTTPServerConfiguration/host`` and
  /// ``HTTPServerConfiguration/port`` only say, without users, that it is meant to be loopback or open.
  public func addRoutes(to router: some RouterMethods, path: RouterPath = "/sync") {
    let methods: [HTTPRequest.Method] = [.get, .post, .put, .patch, .delete, .head, .options, .trace]
    for method in methods {
      router.on(path, method: method) { request, _ in await respond(to: request) }
    }
  }
}

/// Serves the endpoint at its path; beside it `/health`, which says that the process answers, and `/ready`, that its
/// store does.
struct SyncResponder: HTTPResponder {
  struct Context: InitializableFromSource {
    let peer: Peer

    init(source: ApplicationRequestContextSource) {
      peer = Peer(connection: source.channel)
    }
  }

  let endpoint: SyncEndpoint

  func respond(to request: Request, context: Context) async -> Response {
    let path = request.uri.path
    let wanted = endpoint.configuration.path
    if path == wanted || path == wanted + "/" {
      return await endpoint.respond(to: request, from: context.peer)
    }
    guard ["/health", "/ready"].contains(path) else { return endpoint.notFound(request) }
    guard request.method == .get || request.method == .head else {
      return Response(status: .methodNotAllowed, headers: [.allow: "GET, HEAD"])
    }
    let isFine = if path == "/ready" { await endpoint.authority.isReady() } else { true }
    return Response(status: isFine ? .ok : .serviceUnavailable)
  }
}

extension SyncEndpoint {
  func notFound(_ request: Request) -> Response {
    var context = RequestContext(request, negotiation, from: Peer(), logger: configuration.logger)
    _ = try? context.negotiate(negotiation)
    return context.finished(
      ProtocolError(.notFound, "There is nothing here; the endpoint is \(configuration.path)."))
  }
}
