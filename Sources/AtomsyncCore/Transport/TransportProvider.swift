/// A transport that is not connected yet: what a configuration names, and a replica opens.
///
/// Each transport module adds its own factory: `.http("http://localhost:8090/sync")` with AtomsyncHTTPClient,
/// `.loopback(authority)` with Atomsync.
public struct TransportProvider: Sendable, CustomStringConvertible {
  /// Where it leads, for logs, without credentials.
  public let description: String
  private let body: @Sendable (any Codec) async throws -> any Transport

  /// - Parameters:
  ///   - description: where it leads, for logs, without credentials.
  ///   - open: makes the transport; the codec is the one that the configuration names.
  public init(_ description: String, open: @escaping @Sendable (any Codec) async throws -> any Transport) {
    self.description = description
    self.body = open
  }

  /// Makes a transport, which is to encode messages with `codec`.
  ///
  /// - Throws: ``TransportError`` when it cannot be made, such as for a URL that cannot be a server's.
  public func open(codec: any Codec) async throws -> any Transport { try await body(codec) }
}
