public import AtomsyncHTTPServer
internal import HTTPTypes
public import Hummingbird

extension SyncEndpoint {
  /// Adds the endpoint to an application's own router.
  ///
  /// ```swift
  /// let endpoint = try SyncEndpoint(authority, configuration: configuration)
  /// endpoint.addRoutes(to: router, path: "sync")
  /// ```
  /// The listener is then the application's: `HTTPServerConfiguration.host` and
  /// `HTTPServerConfiguration.port` only say, without users, that it is meant to be loopback or open.
  public func addRoutes(to router: some RouterMethods, path: RouterPath = "/sync") {
    let methods: [HTTPRequest.Method] = [.get, .post, .put, .patch, .delete, .head, .options, .trace]
    for method in methods {
      router.on(path, method: method) { [self] request, _ in await respond(to: request) }
    }
  }

  /// Answers a request at the endpoint's path, whatever it is; an error is an answer too.
  ///
  /// - Parameters:
  ///   - request: as the router has it.
  ///   - address: whom the request comes from. Without it, limits by address do not hold.
  public func respond(to request: Request, from address: String? = nil) async -> Response {
    let taken = EndpointRequest(request.head, body: .pieces(request.body), address: address)
    let response = await respond(to: taken)
    let body: ResponseBody =
      switch response.body {
      case .bytes(let bytes): ResponseBody(byteBuffer: bytes)
      case .events(let stream): .events(stream, request.body)
      }
    return Response(status: response.status, headers: response.headers, body: body)
  }
}
