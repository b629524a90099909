public import AtomsyncCore

/// A storage inside another: every key begins with `prefix`, and nothing else can be seen or touched.
///
/// Lets Atomsync share a store with its host, or several tests share one. The host stays open when the inner
/// storage closes, because others may live in it.
public final class PrefixedStorage: Storage {
  private let base: any Storage
  private let prefix: [UInt8]
  private let isClosed = Lock(false)
  private let news = CommitNews()
  /// Hands on what the host says, once somebody has asked.
  private let relay: Lock<Task<Void, Never>?> = Lock(nil)

  /// The part of `base` whose keys begin with `prefix`. `base` stays the caller's to close.
  public init(_ base: any Storage, prefix: [UInt8]) {
    self.base = base
    self.prefix = prefix
  }

  deinit { relay.withLock { $0 }?.cancel() }

  /// What the host promises, for keys that are shorter by the prefix.
  public var capabilities: StorageCapabilities {
    var capabilities = base.capabilities
    if capabilities.maximumKeyLength != .max { capabilities.maximumKeyLength -= prefix.count }
    return capabilities
  }

  /// The host's.
  public var commitExecutor: (any TaskExecutor)? { base.commitExecutor }

  /// The values and scans, from one snapshot of the host.
  public func read(_ query: StorageQuery) async throws -> StorageSnapshot {
    try checkOpen()
    var outer = query
    outer.keys = query.keys.map { prefix + $0 }
    for index in outer.scans.indices { outer.scans[index].range = outside(query.scans[index].range) }
    var snapshot = try await base.read(outer)
    for scan in snapshot.scans.indices {
      for entry in snapshot.scans[scan].entries.indices {
        snapshot.scans[scan].entries[entry].key.removeFirst(prefix.count)
      }
    }
    return snapshot
  }

  /// Applies the batches to the host, in order.
  public func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] {
    try checkOpen()
    return try await base.commit(batches.map(outside)).map { outcome in
      switch outcome {
      case .committed: .committed
      case .refused(let key): .refused(key: Array(key.dropFirst(prefix.count)))
      }
    }
  }

  /// As the host's: commits to other parts of it are told as well.
  public func foreignCommits() -> AsyncStream<ForeignCommit> {
    // Before the host is asked, so that nothing it says is missed.
    let stream = news.stream()
    relay.withLock { relay in
      if relay != nil { return }
      let commits = base.foreignCommits()
      relay = Task { [news] in
        for await commit in commits { news.add(commit) }
        news.finish()
      }
    }
    return stream
  }

  /// The host stays open.
  public func close() async {
    isClosed.withLock { $0 = true }
    relay.withLock { $0 }?.cancel()
    news.finish()
  }

  private func checkOpen() throws {
    if isClosed.withLock({ $0 }) { throw StorageError.closed }
  }

  private func outside(_ range: KeyRange) -> KeyRange {
    KeyRange(
      from: prefix + range.lower,
      to: range.upper.map { prefix + $0 } ?? KeyRange.successor(ofPrefix: prefix))
  }

  private func outside(_ batch: StorageBatch) -> StorageBatch {
    StorageBatch(
      preconditions: batch.preconditions.map { precondition in
        switch precondition {
        case .absent(let key): .absent(prefix + key)
        case .equals(let key, let value): .equals(prefix + key, value)
        }
      },
      writes: batch.writes.map { write in
        switch write {
        case .put(let key, let value): .put(prefix + key, value)
        case .delete(let key): .delete(prefix + key)
        }
      }, topics: batch.topics)
  }
}
