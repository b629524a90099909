/// When a replica tries again: exponential backoff with jitter.
public struct RetryPolicy: Sendable, Hashable {
  /// The delay after a first failure. Default: 0.25 s.
  public var initialDelay: Duration = .milliseconds(250)
  /// No delay is longer than this. Default: 30 s.
  public var maximumDelay: Duration = .seconds(30)
  /// How often a replica asks when its server has no live stream. Default: 5 s.
  public var pollInterval: Duration = .seconds(5)
  /// How long a pull or a push may go without progress, whatever the transport. After timeouts, requests get smaller;
  /// one that cannot get smaller gets twice the time with each timeout. Default: 60 s.
  public var requestTimeout: Duration = .seconds(60)
  /// A live stream that has held for so long was a success, whatever ends it. Default: 5 s.
  public var steadyStream: Duration = .seconds(5)

  /// The default policy.
  public init() {}

  /// The delay before attempt number `attempt` (1 after the first failure).
  ///
  /// - Parameters:
  ///   - attempt: 1 after the first failure, one more after each.
  ///   - random: in 0 ..< 1; spreads the delay over its upper half, so that many replicas do not return at once.
  ///   - retryAfter: what the peer asked for; never cut short.
  public func delay(attempt: Int, random: Double, retryAfter: Duration? = nil) -> Duration {
    var delay = initialDelay
    for _ in 1..<max(1, min(attempt, 32)) where delay < maximumDelay { delay *= 2 }
    let capped = min(delay, maximumDelay)
    return max(capped * (0.5 + random / 2), retryAfter ?? .zero)
  }

  /// How long a replica's wait is.
  package func duration(of wait: ReplicaWait, random: Double) -> Duration {
    switch wait {
    case .backoff(let attempt, let retryAfter):
      delay(attempt: attempt, random: random, retryAfter: retryAfter)
    case .poll: pollInterval
    case .deadline(let doublings): requestTimeout * (1 << doublings)
    case .steady: steadyStream
    }
  }
}
