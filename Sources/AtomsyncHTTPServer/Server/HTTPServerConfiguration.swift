internal import AtomsyncCore
public import AtomsyncEngine
public import Logging

/// What a server needs to know beside its store: where it listens, and who may come in.
///
/// ```swift
/// var configuration = HTTPServerConfiguration()
/// configuration.host = "0.0.0.0"
/// configuration.users = try Users(contentsOf: "users.json")
/// ```
public struct HTTPServerConfiguration: Sendable {
  /// The address or name to listen at. Default: `127.0.0.1`, this machine only.
  public var host = "127.0.0.1"
  /// The port to listen at; 0 for one that is free, which ``SyncServer/boundPort()`` then tells. Default: 8090.
  public var port = 8090
  /// The path of the endpoint. Default: `/sync`.
  public var path = "/sync"
  /// The certificate and key to serve HTTPS with, by HTTP/2 and HTTP/1.1; `nil` for plain HTTP/1.1. They are read again
  /// when they change. Default: `nil`.
  public var tls: TLSFiles?
  /// Who may come in by a token. Without users and without an ``authenticator`` everybody may, which takes a loopback
  /// ``host`` or ``allowsAnonymousAccess``.
  public var users: Users?
  /// Knows users by other means than ``users``, which are asked first. Default: `nil`.
  public var authenticator: (any Authenticator)?
  /// Serves everybody who can reach the listener, without users.
  public var allowsAnonymousAccess = false
  /// What is too much; only `bodyBytes` is the server's own. Default: the protocol's limits.
  public var limits = Limits()
  /// What the server bears from those who can reach it. Default: see there.
  public var serverLimits = ServerLimits()
  /// The origins, such as `https://example.com`, whose web pages may use the server; `*` for all. Default: none.
  public var corsOrigins: [String] = []
  /// How long a live stream may be silent before a comment is sent. Default: 20 s.
  public var heartbeat: Duration = .seconds(20)
  /// How long a live stream waits for a reader that takes nothing before it is cut. Default: 60 s.
  public var stallTimeout: Duration = .seconds(60)
  /// How long a connection may be open without a request, or with an unfinished one. Default: 75 s.
  public var idleTimeout: Duration = .seconds(75)
  /// Where the server logs to. Default: a logger with the label `atomsync.server`.
  public var logger = Logger(label: "atomsync.server")

  /// The defaults: port 8090 of this machine only, without users.
  public init() {}

  /// - Throws: ``HTTPServerError`` for values that cannot be, or that would serve the network without users.
  public func validate() throws(HTTPServerError) {
    guard (0...65_535).contains(port) else {
      throw HTTPServerError(.invalidConfiguration, "The port must be between 0 and 65535; it is \(port).")
    }
    guard path.hasPrefix("/"), path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x3F && $0 != 0x23 })
    else {
      throw HTTPServerError(
        .invalidConfiguration, "The path must begin with a slash, as in /sync; it is “\(path)”.")
    }
    guard users != nil || authenticator != nil || allowsAnonymousAccess || isLoopback else {
      throw HTTPServerError(
        .open,
        "Without users this would serve everybody who can reach \(host). Name users, listen at 127.0.0.1, "
          + "or say that it is meant to be open.")
    }
  }

  /// Whether only this machine can reach the listener.
  package var isLoopback: Bool { Loopback.isAddress(host) }
}
