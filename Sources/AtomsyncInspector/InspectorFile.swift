internal import AtomsyncHTTPServer
internal import HTTPTypes
internal import NIOCore

/// One of the files that make up the page. They are part of the program.
struct InspectorFile: Sendable {
  let name: String
  let mediaType: String
  let bytes: ByteBuffer

  static let all: [InspectorFile] = [
    InspectorFile("", "text/html; charset=utf-8", PackageResources.index_html),
    InspectorFile("inspector.css", "text/css; charset=utf-8", PackageResources.inspector_css),
    script("inspector.js", PackageResources.inspector_js),
    script("edn.js", PackageResources.edn_js),
    script("plots.js", PackageResources.plots_js),
    script("replica/atomsync.js", PackageResources.atomsync_js),
    script("replica/content.js", PackageResources.content_js),
    script("replica/http.js", PackageResources.http_js),
    script("replica/session.js", PackageResources.session_js),
    script("replica/storage.js", PackageResources.storage_js),
    script("replica/transit.js", PackageResources.transit_js),
  ]

  private init(_ name: String, _ mediaType: String, _ bytes: [UInt8]) {
    self.name = name
    self.mediaType = mediaType
    self.bytes = ByteBuffer(bytes: bytes)
  }

  private static func script(_ name: String, _ bytes: [UInt8]) -> InspectorFile {
    InspectorFile(name, "text/javascript; charset=utf-8", bytes)
  }
}

extension InspectorFile {
  /// Nothing of the page comes from elsewhere, and nothing but its own scripts runs in it.
  private static let policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
    + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

  func answer(to request: EndpointRequest) -> EndpointResponse {
    guard request.head.method == .get || request.head.method == .head else {
      return EndpointResponse(.methodNotAllowed, [.allow: "GET, HEAD"])
    }
    var headers: HTTPFields = [
      .contentType: mediaType, .cacheControl: "no-cache", .contentSecurityPolicy: Self.policy,
      .xContentTypeOptions: "nosniff",
    ]
    headers[.referrerPolicy] = "no-referrer"
    return EndpointResponse(.ok, headers, bytes)
  }
}

extension HTTPField.Name {
  // A constant that is a valid field name, so that the force is never felt.
  fileprivate static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
}
