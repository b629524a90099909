public import AtomsyncCore
internal import AtomsyncStorageSupport

/// A store in one SQLite file, for one process or several.
///
/// ## Durability
/// With `.power`, the default, a commit has reached the disk when it returns (`synchronous=FULL`). With `.process`
/// it survives the death of the process, and a power cut may lose the last commits but never tears one
/// (`synchronous=NORMAL`); commits that are not grouped are then about eight times as fast. Both use the
/// write-ahead log.
///
/// ## Files
/// Beside `path` lie `path-wal` and `path-shm` while the store is open, and `path.lock`, which is empty and may
/// stay. The log is copied into the database every 4 MB and starts over at 16 MB at the latest, unless another
/// process reads without a pause; ``close()`` empties it.
///
/// ## Behavior
/// Commits have a connection and a thread; reads have up to four of each, which are opened when they are needed. Reads never
/// wait for commits, nor commits for reads.
/// Commits of several processes wait for each other, up to 5 seconds.
public final class SQLiteStorage: SnapshotStorage {
  /// What it promises: the durability it was opened with, several processes, keys of any length.
  public let capabilities: StorageCapabilities
  private let writer: QueueConfined<SQLiteWriter>
  private let readers: ConfinedPool<SQLiteReader>
  private let path: String
  private let file: StoreFile

  /// The most connections that read.
  private static let readers = 4

  /// Opens the store at `path`, creating it if there is none. The folder must exist.
  ///
  /// - Parameters:
  ///   - path: of the database.
  ///   - access: `.exclusive` keeps everybody else out until ``close()``.
  ///   - durability: `.none` is treated as `.process`.
  /// - Throws: `StorageError`: `foreign` or `newerFormat` for a file that is left untouched, `inUse`,
  ///   `inaccessible`, `corrupt`, `full`.
  public static func open(
    _ path: String, access: StorageAccess = .shared,
    durability: StorageCapabilities.Durability = .power
  ) async throws -> SQLiteStorage {
    let queue = BlockingQueue("atomsync.sqlite.write")
    return try await queue.run {
      try SQLiteStorage(path, access: access, durability: durability, queue: queue)
    }
  }

  private init(
    _ path: String, access: StorageAccess, durability: StorageCapabilities.Durability,
    queue: BlockingQueue
  ) throws {
    let path = CanonicalPath.of(path)
    self.path = path
    try SQLiteLayout.inspect(path)
    let lock = try FileLock(path: path + ".lock", exclusive: access == .exclusive)
    let synchronous = durability == .power ? "FULL" : "NORMAL"
    self.writer = QueueConfined(
      try SQLiteWriter(path: path, lock: lock, synchronous: synchronous), on: queue)
    let file = try StoreFile(path, growsOnly: false)
    self.file = file
    self.readers = ConfinedPool(
      try SQLiteReader(path: path, file: file), size: Self.readers, label: "atomsync.sqlite.read"
    ) { try SQLiteReader(path: path, file: file) }
    self.capabilities = StorageCapabilities(
      durability: durability == .power ? .power : .process, isShared: true, maximumKeyLength: .max)
  }

  /// The values and scans, from one snapshot.
  public func read(_ query: StorageQuery) async throws -> StorageSnapshot {
    if writer.queue.isCurrent { return try await writer.run { try $0.reader.read(query) } }
    return try await readers.run { try $0.read(query) }
  }

  /// The thread of the connection that commits, which then answers reads as well.
  public var commitExecutor: (any TaskExecutor)? { writer.queue }

  /// All batches are one transaction: if this throws, none of them was applied.
  public func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] {
    try await writer.run { try $0.commit(batches) }
  }

  /// Asks SQLite ten times a second whether another connection has committed. The first element comes at once,
  /// so that nothing is missed between the call and the first look.
  public func foreignCommits() -> AsyncStream<ForeignCommit> {
    CommitPoller.signals { [weak self] in
      guard let self else { throw StorageError.closed }
      return try await self.writer.run { try $0.dataVersion() }
    }
  }

  /// On a connection of its own, so that it holds nobody up. The log grows for as long as `body` runs.
  public func withSnapshot<Result: Sendable>(
    _ body: @escaping @Sendable (_ read: SnapshotRead) throws -> Result
  ) async throws -> Result {
    try await readers.run { _ in }  // not of a storage that is closed
    let (path, file) = (path, file)
    return try await BlockingQueue("atomsync.sqlite.snapshot").run {
      try SQLiteReader(path: path, file: file).pinned(body)
    }
  }

  /// Finishes what was begun, empties the log unless others use it, and lets go of the file.
  public func close() async {
    await readers.close()
    await writer.close { $0.finish() }
  }
}

extension StorageProvider {
  /// One SQLite file; see `SQLiteStorage`.
  public static func sqlite(
    _ path: String, durability: StorageCapabilities.Durability = .power
  ) -> StorageProvider {
    StorageProvider("SQLite at \(path)") {
      try await SQLiteStorage.open(path, access: $0, durability: durability)
    }
  }
}
