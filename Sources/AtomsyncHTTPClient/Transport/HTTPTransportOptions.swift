/// Timeouts and limits of an ``HTTPTransport``.
public struct HTTPTransportOptions: Sendable, Hashable {
  /// How long making a connection may take. Default: 10 s.
  public var connectTimeout: Duration = .seconds(10)
  /// How long a request may go without a byte passing. A replica gives up sooner by a rule of its own
  /// (`RetryPolicy.requestTimeout`), and adapts the size of what it sends; this is for everybody else. Default: 1 hour.
  public var silenceTimeout: Duration = .seconds(3600)
  /// How often the server sends at least a comment on a live stream. A stream that is silent for three times as long
  /// is dead. Default: 20 s, as the protocol says.
  public var heartbeat: Duration = .seconds(20)
  /// The largest answer, or live event, in bytes. Default: 64 MiB.
  public var maximumAnswerBytes = 64 << 20
  /// The most connections to the server at once; each live stream holds one. Default: 64.
  public var maximumConnections = 64

  /// The path of a PEM file of certificates, those of authorities or the server's own, that are trusted instead of the
  /// system's. When it cannot be read, no request succeeds. Default: `nil`, the system's.
  public var trustedCertificates: String?

  /// The default options.
  public init() {}
}
