/// An ordered map of bytes to bytes that survives: the seam under everything Atomsync keeps.
///
/// Keys order as unsigned bytes, shorter first, and have at least one byte; how many at most is one of the
/// ``capabilities``. All meaning lives above this seam: schema, versions, counters
/// and invariants are the document layer's, so an adapter is a page or two. A third party that implements this
/// protocol runs `AtomsyncTesting`'s storage conformance kit over it and is then as good as the built-in ones.
///
/// ## Behavior
/// - A ``read(_:)`` answers every key and every scan of its query from **one** snapshot: it sees all of each
///   batch or none of it.
/// - ``commit(_:)`` applies batches in order. Each batch is all or nothing. When it returns, every batch whose
///   outcome is ``StorageOutcome/committed`` is as durable as ``capabilities`` says.
/// - If ``commit(_:)`` throws, or the process dies inside it, a *prefix* of the batches may have been applied.
/// - A read that starts after a commit returned sees that commit.
/// - All methods may be called concurrently, from any task. Cancelling the caller never undoes a commit.
/// - After ``close()`` every call throws ``StorageError`` with code ``StorageError/Code/closed``.
/// - Methods throw ``StorageError`` and nothing else.
public protocol Storage: Sendable {
  /// What this storage promises. Constant for the life of the storage.
  var capabilities: StorageCapabilities { get }

  /// Answers keys and scans from one snapshot. O(log n) a key, plus O(length) a scan.
  func read(_ query: StorageQuery) async throws -> StorageSnapshot

  /// Applies batches in order, each all or nothing, and answers one outcome for each.
  func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome]

  /// Yields whenever *another process* may have committed, with the topics of its batches if the storage can tell them.
  /// Spurious elements are allowed, missed ones are not; several commits may become one element, whose topics are those of
  /// all. Ends when the storage closes or the iterating task is cancelled.
  func foreignCommits() -> AsyncStream<ForeignCommit>

  /// Finishes what was begun and lets go of the store. Closing twice does nothing.
  func close() async

  /// Where commits are made, if that is one thread: a task that prefers this executor reads and commits without changing
  /// threads, and holds up everything else that the storage does there between two of its suspensions. The default is `nil`.
  var commitExecutor: (any TaskExecutor)? { get }
}

extension Storage {
  /// The default of a storage whose commits have no thread of their own.
  public var commitExecutor: (any TaskExecutor)? { nil }

  /// The default of a store that no other process can write: no elements.
  public func foreignCommits() -> AsyncStream<ForeignCommit> { AsyncStream { $0.finish() } }

  /// The values at `keys`, in their order; `nil` for an absent key.
  public func read(_ keys: [[UInt8]]) async throws -> [[UInt8]?] {
    try await read(StorageQuery(keys: keys)).values
  }

  /// The value at `key`, or `nil`.
  public func read(_ key: [UInt8]) async throws -> [UInt8]? {
    try await read(StorageQuery(keys: [key])).values.first ?? nil
  }

  /// The entries of one range.
  public func scan(_ scan: StorageScan) async throws -> StorageScanResult {
    try await read(StorageQuery(scans: [scan])).scans.first
      ?? StorageScanResult(entries: [], isComplete: true)
  }

  /// Applies one batch.
  public func commit(_ batch: StorageBatch) async throws -> StorageOutcome {
    let outcomes = try await commit([batch])
    guard let outcome = outcomes.first else {
      throw StorageError(.failed, "The storage answered no outcome for a batch.")
    }
    return outcome
  }
}
