public import AtomsyncCore
public import Logging

public import struct Foundation.Date

/// Shared storage, codec, limits, retry and retention settings.
///
/// One value for clients and servers; each side adds only what the other has no use for (a client its server's
/// URL and token, a server its port and users).
///
/// ```swift
/// var configuration = AtomsyncConfiguration(storage: .sqlite("notes.db"))
/// configuration.retry.maximumDelay = .seconds(5)
/// ```
public struct AtomsyncConfiguration: Sendable {
  /// Where everything is kept. Default: in memory.
  public var storage: StorageProvider
  /// How a client encodes what it sends. A server answers in whatever it is asked for. Default: Transit-MsgPack.
  public var codec: any Codec
  /// Size and count limits.
  public var limits: Limits
  /// When a client tries again.
  public var retry: RetryPolicy
  /// How long tombstones, push records, verdicts and lost conflict sides are kept. Default: 30 days.
  public var retention: Duration
  /// How timeouts and backoffs wait; replaced in tests. Default: `ContinuousClock`.
  public var clock: any Clock<Duration>
  /// What date it is, for what is kept by age and for what people are shown. Default: the machine's.
  public var now: @Sendable () -> Date
  /// Where the engine logs to.
  public var logger: Logger

  /// A configuration with these settings; those that are left out have their defaults.
  public init(
    storage: StorageProvider = .memory,
    codec: any Codec = .transitMsgPack,
    limits: Limits = Limits(),
    retry: RetryPolicy = RetryPolicy(),
    retention: Duration = .seconds(30 * 24 * 3600),
    clock: any Clock<Duration> = ContinuousClock(),
    now: @escaping @Sendable () -> Date = { Date() },
    logger: Logger = Logger(label: "atomsync")
  ) {
    self.storage = storage
    self.codec = codec
    self.limits = limits
    self.retry = retry
    self.retention = retention
    self.clock = clock
    self.now = now
    self.logger = logger
  }

  package var retentionMilliseconds: Int64 { retention.milliseconds }
}

extension Duration {
  /// Whole milliseconds, rounded towards zero; no more than there are in some 70 million years.
  var milliseconds: Int64 {
    let (seconds, attoseconds) = components
    let most: Int64 = .max / 4000
    return min(max(seconds, -most), most) * 1000 + attoseconds / 1_000_000_000_000_000
  }
}
