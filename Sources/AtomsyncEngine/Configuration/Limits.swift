/// Size and count limits. The defaults are the protocol's (Docs/Protocol.md §7).
public struct Limits: Sendable, Hashable {
  /// The largest body of a request in bytes, after decompression. Default: 8 MiB.
  public var bodyBytes = 8 << 20
  /// The largest value of one document in bytes, encoded. Default: 1 MiB.
  public var valueBytes = 1 << 20
  /// The most documents in one push. Default: 1,000.
  public var documentsPerPush = 1000
  /// The most documents in a page when the client names no number. Default: 1,000.
  public var pageDocuments = 1000
  /// The most documents in a page that a client may ask for. Default: 10,000.
  public var maximumPageDocuments = 10_000
  /// A page ends once its values reach this many bytes. Default: 4 MiB.
  public var pageBytes = 4 << 20
  /// A replica's push ends once its values reach this many bytes. Default: 2 MiB.
  public var pushBytes = 2 << 20
  /// How many pushes may wait for their turn before an authority answers that it is busy. Default: 10,000.
  public var waitingPushes = 10_000
  /// How many bytes of pushes may wait. Default: 64 MiB.
  public var waitingBytes = 64 << 20
  /// How many bytes of conflicts a replica keeps in memory, the newest first; older ones stay in its store until the
  /// retention is over. Default: 16 MiB.
  public var conflictBytes = 16 << 20

  /// The default limits.
  public init() {}
}
