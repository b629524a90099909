public import AtomsyncCore

/// A storage inside another: every key begins with `prefix`, and nothing else can be seen or touched.
///
/// Lets Atomsync share a store with its host, or several tests share one. The host stays open when the inner
/// storage closes, because others may live in it.
public final class PrefixedStorage: Storage {
  private let base: any Storage
  private let prefix: [UInt8]
  private let isClosed = Lock(false)

  public init(_ base: any Storage, prefix: [UInt8]) {
    self.base = base
    self.prefix = prefix
  }

  public var capabilities: StorageCapabilities {
    var capabilities = base.capabilities
    if capabilities.maximumKeyLength != .max { capabilities.maximumKeyLength -= prefix.count }
    return capabilities
  }

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

  public func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] {
    try checkOpen()
    return try await base.commit(batches.map(outside)).map { outcome in
      switch outcome {
      case .committed: .committed
      case .refused(let key): .refused(key: Array(key.dropFirst(prefix.count)))
      }
    }
  }

  public func foreignCommits() -> AsyncStream<Void> { base.foreignCommits() }

  public func close() async { isClosed.withLock { $0 = true } }

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
      })
  }
}
