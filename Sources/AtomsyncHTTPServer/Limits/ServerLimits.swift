/// What a server bears from those who can reach it. (Docs/Server.md, “Limits”.)
///
/// They guard memory, processor and descriptors against clients that are broken or hostile; what the protocol allows a
/// client is in `Limits`.
public struct ServerLimits: Sendable, Hashable {
  /// How many connections may be open. Those beyond wait in the system's queue. It is never more than the process has
  /// descriptors for. Default: 10,000.
  public var connections = 10_000
  /// How many connections one address may have open; those beyond are closed. An address of this machine may have any
  /// number, since a proxy on it passes others' requests on. Default: 1,000.
  public var connectionsPerAddress = 1000
  /// The most bytes of a request's header fields. Default: 16 KiB.
  public var headerBytes = 16 << 10
  /// The most bytes of a request's head, its URL included, which names the groups of a live stream. Default: 512 KiB.
  public var headBytes = 512 << 10
  /// How long a body may take to arrive, however steadily it does. Default: 10 minutes.
  public var bodyTime: Duration = .seconds(600)
  /// The least that must arrive of a body in each ``bodyWindow``. Default: 16 KiB.
  public var bodyWindowBytes = 16 << 10
  /// How often the progress of a body is looked at. Default: 30 s.
  public var bodyWindow: Duration = .seconds(30)
  /// How many bytes of bodies may be in memory before they are complete. Who would exceed them is answered `unavailable`.
  /// The first 16 KiB of a body are not counted. Default: 64 MiB.
  public var bodyBytesInFlight = 64 << 20
  /// How many live streams may be open. Default: 10,000.
  public var streams = 10_000
  /// How many live streams one user may have open; without users, one address. Default: 1,000.
  public var streamsPerUser = 1000
  /// How many groups one live stream may follow. Default: 1,000.
  public var groupsPerStream = 1000
  /// A page on a live stream ends once its values reach this many bytes. Default: 64 KiB.
  public var livePageBytes = 64 << 10
  /// How many wrong tokens an address may send at once, and then one a second. Beyond, it is answered
  /// `too-many-requests`, unless the token was right there lately. Default: 60.
  public var wrongTokens = 60
  /// How many requests one user may make in a second; without users, one address. `nil` for any number. Default: `nil`.
  public var requestsPerSecond: Int?

  /// The default limits.
  public init() {}
}
