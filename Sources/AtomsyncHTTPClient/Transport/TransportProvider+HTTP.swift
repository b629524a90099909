public import AtomsyncCore

public import struct Foundation.URL

extension TransportProvider {
  /// To a server over HTTP: `.http("http://localhost:8090/sync", token: "abc123")`.
  ///
  /// A URL that cannot be a server's is reported, as `TransportError` with `unsupported`, when it is opened.
  public static func http(
    _ server: String, token: String? = nil, options: HTTPTransportOptions = HTTPTransportOptions()
  ) -> TransportProvider {
    TransportProvider(described(server)) { codec in
      try HTTPTransport(server, token: token, codec: codec, options: options)
    }
  }

  /// To a server over HTTP.
  public static func http(
    _ server: URL, token: String? = nil, options: HTTPTransportOptions = HTTPTransportOptions()
  ) -> TransportProvider {
    http(server.absoluteString, token: token, options: options)
  }

  /// To a server over HTTP, with a token that changes.
  ///
  /// - Parameters:
  ///   - server: the server's URL.
  ///   - options: timeouts, limits and certificates.
  ///   - credentials: asked for the token with every request; `nil` for none. When the server refuses the
  ///     token it is asked once more, once for all requests that wait.
  public static func http(
    _ server: String, options: HTTPTransportOptions = HTTPTransportOptions(),
    credentials: @escaping @Sendable () async throws -> String?
  ) -> TransportProvider {
    TransportProvider(described(server)) { codec in
      try HTTPTransport(server, codec: codec, options: options, credentials: credentials)
    }
  }

  /// The URL, unless it holds something that a log should not.
  private static func described(_ server: String) -> String {
    server.contains("@") || server.contains("?") ? "HTTP" : server
  }
}
