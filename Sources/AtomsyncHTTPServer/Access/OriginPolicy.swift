internal import AtomsyncCore
internal import HTTPTypes

/// Keeps web pages out of a server that asks nobody who they are.
///
/// A browser sends what any page tells it to, to this machine as well. With users a page lacks the token. Without, the
/// `Host` tells a page whose name was made to lead here (DNS rebinding), and `Origin` one from elsewhere.
struct OriginPolicy: Sendable {
  /// Whether only this machine reaches the listener, so that only its own names can be meant.
  let isLoopback: Bool
  /// The origins whose pages may use the server; `*` for all.
  let allowed: Set<String>

  /// Looks at a request that needs no token.
  ///
  /// - Throws: `ProtocolError` with `forbidden`.
  func check(_ request: HTTPRequest) throws {
    let host = request.authority ?? ""
    if isLoopback, !Self.isLoopback(host: host) {
      throw ProtocolError(
        .forbidden,
        "This server has no users and answers to localhost and 127.0.0.1 only, not to other names of this machine."
      )
    }
    if let origin = request.headerFields.value(of: .origin) {
      guard allows(origin) || Self.isSame(origin, host) else { throw Self.foreign }
    } else if request.headerFields.value(of: .secFetchSite)?.lowercased() == "cross-site" {
      throw Self.foreign
    }
  }

  /// The answer to a browser that asks, for a page of an origin that is allowed, what it may send.
  func preflight(_ request: HTTPRequest) -> EndpointResponse? {
    guard request.method == .options, let origin = request.headerFields.value(of: .origin), allows(origin),
      request.headerFields.contains(.accessControlRequestMethod)
    else { return nil }
    return EndpointResponse(
      .noContent,
      [
        .accessControlAllowMethods: "GET, POST",
        .accessControlAllowHeaders:
          "Accept, Atomsync-Protocol, Authorization, Content-Encoding, Content-Type, Last-Event-ID",
        .accessControlMaxAge: "3600",
      ])
  }

  /// Tells a browser that a page may read the answer, if it may.
  func mark(_ response: inout EndpointResponse, for request: HTTPRequest) {
    guard !allowed.isEmpty else { return }
    response.headers[.vary] = response.headers[.vary].map { "\($0), Origin" } ?? "Origin"
    guard let origin = request.headerFields.value(of: .origin), allows(origin) else { return }
    response.headers[.accessControlAllowOrigin] = origin
    response.headers[.accessControlExposeHeaders] = "Atomsync-Protocol, X-Request-ID, Retry-After"
  }

  private func allows(_ origin: String) -> Bool {
    allowed.contains("*") || allowed.contains(origin.lowercased())
  }

  private static let foreign = ProtocolError(
    .forbidden, "The request comes from another site's page. Allow its origin with --cors-origin.")

  private static func isSame(_ origin: String, _ host: String) -> Bool {
    ["http://", "https://"].contains { origin.lowercased() == $0 + host.lowercased() }
  }

  /// Whether a `Host` names this machine, with any port.
  static func isLoopback(host: String) -> Bool {
    var name = host[...]
    if name.utf8.last != UInt8(ascii: "]"), let colon = name.utf8.lastIndex(of: UInt8(ascii: ":")) {
      guard UInt16(name[colon...].dropFirst()) != nil else { return false }
      name = name[..<colon]
    }
    if name.utf8.first == UInt8(ascii: "["), name.utf8.last == UInt8(ascii: "]") {
      name = name.dropFirst().dropLast()
    }
    return Loopback.isAddress(name)
  }
}
