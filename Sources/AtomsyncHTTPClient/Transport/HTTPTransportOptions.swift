/// How patient an ``HTTPTransport`` is, and how much it takes.
public struct HTTPTransportOptions: Sendable, Hashable {
  /// How long making a connection may take. Default: 10 s.
  public var connectTimeout: Duration = .seconds(10)
  /// How long sending a request and waiting for the head of its answer may take. Default: 60 s.
  public var answerTimeout: Duration = .seconds(60)
  /// How long a body may pause. Default: 30 s.
  public var silenceTimeout: Duration = .seconds(30)
  /// How long a request may take from its first byte to the last of its answer. Default: 5 min.
  public var totalTimeout: Duration = .seconds(300)
  /// How often the server sends at least a comment on a live stream. A stream that is silent for three times as long
  /// is dead. Default: 20 s, as the protocol says.
  public var heartbeat: Duration = .seconds(20)
  /// The largest answer, or live event, in bytes. Default: 64 MiB.
  public var maximumAnswerBytes = 64 << 20
  /// The most connections to the server at once; each live stream holds one. Default: 64.
  public var maximumConnections = 64

  public init() {}
}
