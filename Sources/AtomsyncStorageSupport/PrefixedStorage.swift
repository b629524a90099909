public import AtomsyncCore

/// A storage inside another: every key begins with `prefix`, and nothing else can be seen or touched.
///
/// Lets Atomsync share a store with its host, or several tests share one. The host stays open when the inner
/// storage closes, because others may live in it.
public final class PrefixedStorage: Storage {
  private let base: any Storage
  private let prefix: [UInt8]
  private struct State {
    var isClosed = false
    /// The streams of `foreignCommits` that have not ended.
    var streams: [Int: AsyncStream<ForeignCommit>.Continuation] = [:]
    var next = 0
  }
  private let state = Lock(State())

  /// The part of `base` whose keys begin with `prefix`. `base` stays the caller's to close.
  public init(_ base: any Storage, prefix: [UInt8]) {
    self.base = base
    self.prefix = prefix
  }

  /// What the host promises, for keys that are shorter by the prefix.
  public var capabilities: StorageCapabilities {
    var capabilities = base.capabilities
    if capabilities.maximumKeyLength != .max { capabilities.maximumKeyLength -= prefix.count }
    return capabilities
  }

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
    let (stream, continuation) = AsyncStream.makeStream(of: ForeignCommit.self)
    let number = state.withLock { state in
      state.next += 1
      return state.next
    }
    let isClosed = state.withLock { state in
      if !state.isClosed { state.streams[number] = continuation }
      return state.isClosed
    }
    // Asked for at once, so that no commit from now on is missed.
    let commits = base.foreignCommits()
    let relay = Task {
      for await commit in commits { continuation.yield(commit) }
      continuation.finish()
    }
    continuation.onTermination = { [state] _ in
      relay.cancel()
      state.withLock { $0.streams[number] = nil }
    }
    if isClosed { continuation.finish() }
    return stream
  }

  /// The host stays open.
  public func close() async {
    let streams = state.withLock { state in
      state.isClosed = true
      defer { state.streams = [:] }
      return state.streams
    }
    for stream in streams.values { stream.finish() }
  }

  private func checkOpen() throws {
    if state.withLock({ $0.isClosed }) { throw StorageError.closed }
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
