public import AtomsyncCore
internal import CoreMetrics

extension StorageProvider {
  /// The same storage, telling swift-metrics how long its reads and commits take and how much is committed at once.
  public func measured() -> StorageProvider {
    StorageProvider(description) { MeasuredStorage(try await open($0)) }
  }
}

/// A storage whose reads and commits are timed.
private struct MeasuredStorage: Storage {
  private let base: any Storage
  private let reads = Timer(label: "atomsync_storage_read")
  private let commits = Timer(label: "atomsync_storage_commit")
  private let writes = Recorder(label: "atomsync_storage_commit_rows")
  private let failures = Counter(label: "atomsync_storage_failures")

  init(_ base: any Storage) { self.base = base }

  var capabilities: StorageCapabilities { base.capabilities }
  var commitExecutor: (any TaskExecutor)? { base.commitExecutor }

  func read(_ query: StorageQuery) async throws -> StorageSnapshot {
    try await timing(reads) { try await base.read(query) }
  }

  /// A commit's time is that of its flush to the disk, more than anything.
  func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] {
    writes.record(batches.reduce(0) { $0 + $1.writes.count })
    return try await timing(commits) { try await base.commit(batches) }
  }

  func foreignCommits() -> AsyncStream<ForeignCommit> { base.foreignCommits() }

  func close() async { await base.close() }

  private func timing<Result>(_ timer: Timer, _ body: () async throws -> Result) async throws -> Result {
    let began = MonotonicTime.now
    do {
      let result = try await body()
      let (seconds, attoseconds) = (MonotonicTime.now - began).components
      timer.recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
      return result
    } catch {
      failures.increment()
      throw error
    }
  }
}
