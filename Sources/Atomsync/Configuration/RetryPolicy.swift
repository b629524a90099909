/// When a replica tries again: exponential backoff with jitter.
public struct RetryPolicy: Sendable, Hashable {
  /// The delay after a first failure. Default: 0.25 s.
  public var initialDelay: Duration = .milliseconds(250)
  /// No delay is longer than this. Default: 30 s.
  public var maximumDelay: Duration = .seconds(30)
  /// How often a replica asks when its server has no live stream. Default: 5 s.
  public var pollInterval: Duration = .seconds(5)
  /// How long a pull or a push may take, whatever the transport. Default: 60 s.
  public var requestTimeout: Duration = .seconds(60)

  public init() {}

  /// The delay before attempt number `attempt` (1 after the first failure).
  ///
  /// - Parameters:
  ///   - random: in 0 ..< 1; spreads the delay over its upper half, so that many replicas do not return at once.
  ///   - retryAfter: what the peer asked for; never cut short.
  public func delay(attempt: Int, random: Double, retryAfter: Duration? = nil) -> Duration {
    var delay = initialDelay
    for _ in 1..<max(1, min(attempt, 32)) where delay < maximumDelay { delay *= 2 }
    let capped = min(delay, maximumDelay)
    return max(capped * (0.5 + random / 2), retryAfter ?? .zero)
  }
}
