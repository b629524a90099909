public import AtomsyncCore
internal import AtomsyncStorageSupport
internal import CLMDB

/// A store in one folder, by LMDB, for one process or several.
///
/// ## Durability
/// With `.power`, the default, a commit has reached the disk when it returns. With `.process` it survives the death
/// of the process, and a power cut may lose the last commits but never tears one: LMDB then flushes the records
/// but not the page that names them (`MDB_NOMETASYNC`). The faster `MDB_NOSYNC` is not offered, since a power cut
/// can then damage the whole store on file systems that reorder writes.
///
/// ## Limits
/// Keys have 1 to 511 bytes. The map begins at 64 MiB and grows by itself, by doubling up to 1 GiB a step; the
/// file takes only the space of what is stored. Beside `data.mdb` lie `lock.mdb` and the empty `atomsync.lock` and
/// `atomsync.write`.
///
/// ## Behavior
/// All storages that one process opens on one folder share an environment and a thread for commits; each has up to four for
/// reads. Reads never wait for commits, nor commits for reads, except when the map grows. Commits of several
/// processes wait for each other, up to 5 seconds; what a process that died had begun is undone by the next.
public final class LMDBStorage: SnapshotStorage {
  /// What it promises: the durability it was opened with, several processes, keys of up to 511 bytes.
  public let capabilities: StorageCapabilities
  private let writer: QueueConfined<LMDBWriter>
  private let readers: ConfinedPool<LMDBReader>
  private let commits = LMDBCommitCount()

  /// The most threads that read.
  private static let readers = 4

  /// Opens the store in the folder `path`, creating it if there is none. The folder's own folder must exist.
  ///
  /// - Parameters:
  ///   - path: of the environment's folder.
  ///   - access: `.exclusive` keeps everybody else out until ``close()``.
  ///   - durability: `.none` is treated as `.process`.
  /// - Throws: `StorageError`: `foreign` or `newerFormat` for what is left untouched, `inUse`, `inaccessible`,
  ///   `corrupt`, `full`.
  public static func open(
    _ path: String, access: StorageAccess = .shared,
    durability: StorageCapabilities.Durability = .power
  ) async throws -> LMDBStorage {
    try await open(
      path, access: access, durability: durability, mapSize: LMDBEnvironment.initialMapSize)
  }

  /// With another size of the map to begin with, for tests of its growth.
  package static func open(
    _ path: String, access: StorageAccess, durability: StorageCapabilities.Durability, mapSize: Int
  ) async throws -> LMDBStorage {
    let lease = try await BlockingQueue("atomsync.lmdb.open").run {
      try LMDBLease(path: path, access: access, mapSize: mapSize)
    }
    return LMDBStorage(lease, durability: durability)
  }

  private init(_ lease: LMDBLease, durability: StorageCapabilities.Durability) {
    self.writer = QueueConfined(
      LMDBWriter(lease, durability: durability, commits), on: lease.environment.writes)
    self.readers = ConfinedPool(LMDBReader(lease), size: Self.readers, label: "atomsync.lmdb.read") {
      LMDBReader(lease)
    }
    self.capabilities = StorageCapabilities(
      durability: durability == .power ? .power : .process, isShared: true,
      maximumKeyLength: LMDBBytes.maximumKeyLength)
  }

  /// The values and scans, from one snapshot.
  public func read(_ query: StorageQuery) async throws -> StorageSnapshot {
    try await reading { try $0.read(query) }
  }

  /// Takes one of the threads that read. Commits of this process for which the map has to grow wait until `body` returns, and reads then
  /// wait for them; other processes do not.
  public func withSnapshot<Result: Sendable>(
    _ body: @escaping @Sendable (_ read: SnapshotRead) throws -> Result
  ) async throws -> Result {
    try await reading { try $0.pinned(body) }
  }

  /// Tries `body` again when another process has grown the map.
  private func reading<Result: Sendable>(
    _ body: @escaping @Sendable (LMDBReader) throws -> Result
  ) async throws -> Result {
    let attempt = { @Sendable (reader: LMDBReader) throws -> Result? in
      do {
        return try body(reader)
      } catch let failure as LMDBFailure {
        if failure.code == MDB_MAP_RESIZED { return nil }
        throw failure.error(path: reader.path)
      }
    }
    while true {
      let result =
        writer.queue.isCurrent
        ? try await writer.run { try attempt($0.reader) } : try await readers.run(attempt)
      if let result { return result }
      try await writer.run { try $0.followMap() }
    }
  }

  /// The thread that commits, which then answers reads as well.
  public var commitExecutor: (any TaskExecutor)? { writer.queue }

  /// All batches are one transaction: if this throws, none of them was applied.
  public func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] {
    try await writer.run { try $0.commit(batches) }
  }

  /// Asks LMDB ten times a second for the number of its last transaction. The first element comes at once, so
  /// that nothing is missed between the call and the first look.
  public func foreignCommits() -> AsyncStream<ForeignCommit> {
    CommitPoller.signals { [weak self] in
      guard let self else { throw StorageError.closed }
      let commits = self.commits
      return try await self.readers.run { reader in
        do { return commits.foreign(of: try reader.lastTransaction()) } catch let failure as LMDBFailure {
          throw failure.error(path: reader.path)
        }
      }
    }
  }

  /// Finishes what was begun and lets go of the folder.
  public func close() async {
    await readers.close()
    await writer.close()
  }
}

extension StorageProvider {
  /// One folder, by LMDB; see `LMDBStorage`.
  public static func lmdb(
    _ path: String, durability: StorageCapabilities.Durability = .power
  ) -> StorageProvider {
    StorageProvider("LMDB at \(path)") {
      try await LMDBStorage.open(path, access: $0, durability: durability)
    }
  }
}
