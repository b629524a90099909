import AtomsyncCore
import AtomsyncLMDB
import AtomsyncSQLite
import AtomsyncStorageSupport
import AtomsyncTesting
import FolderStorage
import Testing

/// Every storage of this package, bare and inside a prefix, against every promise.
@Suite struct ConformanceTests {
  @Test(arguments: StorageConformanceCase.all)
  func memory(_ promise: StorageConformanceCase) async throws {
    try await promise.run(.memory)
  }

  @Test(arguments: StorageConformanceCase.all, [StorageCapabilities.Durability.power, .process])
  func sqlite(
    _ promise: StorageConformanceCase, _ durability: StorageCapabilities.Durability
  ) async throws {
    let folder = try TemporaryFolder()
    try await promise.run(.sqlite(folder("store.db"), durability: durability))
    #expect(try folder.names() == ["store.db", "store.db.lock"])
  }

  @Test(arguments: StorageConformanceCase.all, [StorageCapabilities.Durability.power, .process])
  func lmdb(
    _ promise: StorageConformanceCase, _ durability: StorageCapabilities.Durability
  ) async throws {
    let folder = try TemporaryFolder()
    try await promise.run(.lmdb(folder("store.lmdb"), durability: durability))
  }

  @Test(arguments: StorageConformanceCase.all)
  func prefixed(_ promise: StorageConformanceCase) async throws {
    let folder = try TemporaryFolder()
    try await promise.run(.prefixed(.memory))
    // One that tells of commits as they happen, and not at intervals: none may be missed.
    try await promise.run(.prefixed(FlawedDisk(nil).provider))
    try await promise.run(.prefixed(.sqlite(folder("store.db"), durability: .process)))
    try await promise.run(.prefixed(.lmdb(folder("store.lmdb"), durability: .process)))
  }

  @Test(arguments: StorageConformanceCase.all)
  func fromTheThreadThatCommits(_ promise: StorageConformanceCase) async throws {
    let folder = try TemporaryFolder()
    try await promise.run(.onCommitExecutor(.sqlite(folder("store.db"), durability: .process)))
    try await promise.run(.onCommitExecutor(.lmdb(folder("store.lmdb"), durability: .process)))
  }

  @Test(arguments: StorageConformanceCase.all)
  func theExampleOfAFolder(_ promise: StorageConformanceCase) async throws {
    let folder = try TemporaryFolder()
    try await promise.run(.folder(folder("store"), durability: .process))
  }

  @Test(arguments: StorageConformanceCase.all)
  func faultyWithoutFaults(_ promise: StorageConformanceCase) async throws {
    try await promise.run(StorageProvider("faulty") { _ in FaultyStorage(MemoryStorage()) })
  }
}

extension StorageProvider {
  /// Whose reads and commits are all made by tasks that prefer its executor of commits.
  static func onCommitExecutor(_ base: StorageProvider) -> StorageProvider {
    StorageProvider("\(base), from the thread that commits") { OnCommitExecutor(try await base.open($0)) }
  }

  /// Inside `base`, between neighbours that must never show.
  static func prefixed(_ base: StorageProvider) -> StorageProvider {
    StorageProvider("\(base) with a prefix") { access in
      let host = try await base.open(access)
      let neighbours: [[UInt8]] = [[6], [7, 0], [7, 254, 9], [8]]
      _ = try await host.commit(StorageBatch(writes: neighbours.map { .put($0, $0) }))
      return OwningPrefix(host)
    }
  }
}

/// A prefixed storage that closes its host with it, so that the host can be opened again.
private struct OwningPrefix: Storage {
  let host: any Storage
  let inner: PrefixedStorage

  init(_ host: any Storage) {
    self.host = host
    self.inner = PrefixedStorage(host, prefix: [7, 255])
  }

  var capabilities: StorageCapabilities { inner.capabilities }
  func read(_ query: StorageQuery) async throws -> StorageSnapshot { try await inner.read(query) }
  func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] {
    try await inner.commit(batches)
  }
  func foreignCommits() -> AsyncStream<ForeignCommit> { inner.foreignCommits() }
  func close() async {
    await inner.close()
    await host.close()
  }
}

private struct OnCommitExecutor: Storage {
  let base: any Storage

  init(_ base: any Storage) { self.base = base }

  var capabilities: StorageCapabilities { base.capabilities }

  func read(_ query: StorageQuery) async throws -> StorageSnapshot {
    try await withTaskExecutorPreference(base.commitExecutor) { try await base.read(query) }
  }

  func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] {
    try await withTaskExecutorPreference(base.commitExecutor) { try await base.commit(batches) }
  }

  func foreignCommits() -> AsyncStream<ForeignCommit> { base.foreignCommits() }

  func close() async { await base.close() }
}
