import AtomsyncCore
import AtomsyncEngine
import AtomsyncLMDB
import AtomsyncOperations
import AtomsyncSQLite
import Foundation
import Testing
import Transit

@Suite(.timeLimit(.minutes(1))) struct OperationsTests {
  enum Kind: CaseIterable {
    case memory, sqlite, lmdb

    func open(_ path: String) async throws -> any SnapshotStorage {
      switch self {
      case .memory: MemoryStorage()
      case .sqlite: try await SQLiteStorage.open(path)
      case .lmdb: try await LMDBStorage.open(path)
      }
    }

    func provider(_ path: String) -> StorageProvider {
      switch self {
      case .memory: .memory
      case .sqlite: .sqlite(path)
      case .lmdb: .lmdb(path)
      }
    }
  }

  /// A server's store with documents of two groups, a tombstone, and a client's push.
  private static func fill(_ provider: StorageProvider) async throws {
    let authority = try await Authority.open(AtomsyncConfiguration(storage: provider))
    for group in ["a", "b"] {
      for number in 0..<50 {
        try await push(authority, group, "\(number)", "text \(number)")
      }
      try await push(authority, group, "0", nil, version: 1)
    }
    await authority.close()
  }

  @discardableResult
  private static func push(
    _ authority: Authority, _ group: String, _ id: String, _ text: String?, version: Int64 = 0
  ) async throws -> PushAnswer {
    let content: Content =
      try text.map { .value(Payload(bytes: try TransitValue.string($0).transit(.msgpack))) } ?? .deleted
    return try await authority.push(
      PushRequest(
        group: group, ticket: PushTicket(client: UUID(), number: 1),
        edits: [Edit(id: id, version: version, content: content)]))
  }

  private static func rows(_ provider: StorageProvider) async throws -> [StorageEntry] {
    let storage = try await provider.open(.shared)
    let rows = try await storage.scan(StorageScan(.all)).entries
    await storage.close()
    return rows
  }

  private static func dump(_ storage: any SnapshotStorage) async throws -> [UInt8] {
    let bytes = Lock<[UInt8]>([])
    _ = try await StoreDump.write(storage) { piece in bytes.withLock { $0 += piece } }
    return bytes.withLock { $0 }
  }

  // MARK: Snapshots

  @Test(arguments: Kind.allCases) func aSnapshotStaysAsItIs(kind: Kind) async throws {
    let folder = try TemporaryFolder()
    let storage = try await kind.open(folder("store"))
    let before = (0..<100).map { StorageEntry(key: [UInt8($0)], value: [1]) }
    _ = try await storage.commit(StorageBatch(writes: before.map { .put($0.key, $0.value) }))
    // Commits come in between its reads.
    let (inside, commits) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    async let seen = storage.withSnapshot { read -> [StorageEntry] in
      let first = try read(StorageQuery(scans: [StorageScan(.all, limit: 50)])).scans[0].entries
      inside.signal()
      commits.wait()
      let rest = KeyRange(from: [50], to: nil)
      return first + (try read(StorageQuery(scans: [StorageScan(rest)])).scans[0].entries)
    }
    await Self.wait(for: inside)
    _ = try await storage.commit(
      StorageBatch(writes: before.map { .put($0.key, [2]) } + [.put([200], [2]), .delete([70])]))
    commits.signal()
    #expect(try await seen == before)
    let now = try await storage.withSnapshot { try $0(StorageQuery(keys: [[70], [99], [200]])).values }
    #expect(now == [nil, [2], [2]])
    await storage.close()
    await #expect(throws: StorageError.self) { try await storage.withSnapshot { _ in } }
  }

  private static func wait(for semaphore: DispatchSemaphore) async {
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        semaphore.wait()
        continuation.resume()
      }
    }
  }

  // MARK: Dumps

  @Test(arguments: [Kind.sqlite, .lmdb], [Kind.sqlite, .lmdb])
  func aDumpBecomesTheSameStore(from: Kind, to: Kind) async throws {
    let folder = try TemporaryFolder()
    let source = from.provider(folder("source"))
    try await Self.fill(source)
    let rows = try await Self.rows(source)
    let storage = try await from.open(folder("source"))
    try Data(try await Self.dump(storage)).write(to: URL(fileURLWithPath: folder("dump")))
    let statistics = try await StoreStatistics.of(storage)
    #expect(statistics.documents == 98 && statistics.tombstones == 2 && statistics.groups.count == 2)
    #expect(statistics.clients == 102 && statistics.total.rows == rows.count)
    await storage.close()

    let target = to.provider(folder("target"))
    let progress = try await StoreDump.restore(folder("dump"), to: target)
    #expect(progress.rows == rows.count)
    #expect(try await Self.rows(target) == rows)
    let copy = to.provider(folder("copy"))
    #expect(try await StoreCopy.copy(from: source, to: copy).rows == rows.count)
    #expect(try await Self.rows(copy) == rows)
    // Neither goes over what is there.
    for attempt in 0..<2 {
      let error = await #expect(throws: OperationError.self) {
        if attempt == 0 { _ = try await StoreDump.restore(folder("dump"), to: target) }
        if attempt == 1 { _ = try await StoreCopy.copy(from: source, to: copy) }
      }
      #expect(error?.code == .exists)
    }
    #expect(try await Self.rows(target) == rows)

    // A server goes on with it: cursors of before are good, and those of a later history are not.
    let first = try await Authority.open(AtomsyncConfiguration(storage: source))
    let seen = try await first.pull(PullRequest(group: "a")).cursor
    try await Self.push(first, "a", "later", "lost")
    let later = try await first.pull(PullRequest(group: "a")).cursor
    await first.close()
    let second = try await Authority.open(AtomsyncConfiguration(storage: target))
    try await Self.push(second, "a", "new", "x")
    let page = try await second.pull(PullRequest(group: "a", cursor: seen))
    #expect(!page.isReset && page.documents.map(\.id) == ["new"])
    #expect(try await second.pull(PullRequest(group: "a", cursor: later)).isReset)
    #expect(try await second.verify().problems == [])
    await second.close()
  }

  /// Cut anywhere, and with any line changed, left out or told twice.
  @Test func aDamagedDumpIsRefused() async throws {
    let folder = try TemporaryFolder()
    try await Self.fill(Kind.sqlite.provider(folder("source")))
    let storage = try await Kind.sqlite.open(folder("source"))
    let dump = try await Self.dump(storage)
    await storage.close()
    let lines = dump.split(separator: UInt8(ascii: "\n")).map { Array($0) + [UInt8(ascii: "\n")] }
    var broken: [[UInt8]] = stride(from: 0, to: dump.count, by: 4001).map { Array(dump[..<$0]) }
    for index in stride(from: 0, to: lines.count, by: 41) {
      broken.append(Array((lines[..<index] + lines[(index + 1)...]).joined()))
      broken.append(Array((lines[...index] + lines[index...]).joined()))
      var changed = lines
      changed[index][lines[index].count / 2] ^= 1
      broken.append(Array(changed.joined()))
    }
    broken.append(dump + [UInt8(ascii: "x")])
    broken.append(dump + lines[1])
    broken.append(
      Array((lines[..<(lines.count - 1)] + [lines[lines.count - 1]] + [lines[lines.count - 1]]).joined()))
    let file = URL(fileURLWithPath: folder("dump"))
    for bytes in broken {
      try Data(bytes).write(to: file)
      let error = await #expect(throws: OperationError.self) {
        try await StoreDump.restore(file.path, to: Kind.sqlite.provider(folder("target")))
      }
      #expect(error?.code == .damaged)
    }
    #expect(!FileManager.default.fileExists(atPath: folder("target")))
    try Data(dump).write(to: file)
    _ = try await StoreDump.restore(file.path, to: Kind.sqlite.provider(folder("target")))
  }

  /// The store of a client is none of a server's.
  @Test func onlyAServersStoreIsDumped() async throws {
    let storage = MemoryStorage()
    let error = await #expect(throws: StorageError.self) { try await Self.dump(storage) }
    #expect(error?.code == .foreign)
    await storage.close()
  }

  // MARK: Backups

  @Test(arguments: [Kind.sqlite, .lmdb]) func aBackupIsAStore(kind: Kind) async throws {
    let folder = try TemporaryFolder()
    let (path, target) = (folder("store"), folder("it's a backup"))
    try await Self.fill(kind.provider(path))
    let rows = try await Self.rows(kind.provider(path))
    func backUp() async throws {
      switch kind {
      case .sqlite: try await SQLiteStorage.backUp(path, to: target)
      case .lmdb: try await LMDBStorage.backUp(path, to: target)
      case .memory: break
      }
    }
    try await backUp()
    #expect(try await Self.rows(kind.provider(target)) == rows)
    // Not over what is there.
    let error = await #expect(throws: StorageError.self) { try await backUp() }
    #expect(error?.code == .inaccessible)
    #expect(try await Self.rows(kind.provider(target)) == rows)
  }

  @Test(arguments: [Kind.sqlite, .lmdb]) func compactingGivesSpaceBack(kind: Kind) async throws {
    let folder = try TemporaryFolder()
    let path = folder("store")
    let file = kind == .lmdb ? path + "/data.mdb" : path
    func size() throws -> Int {
      try #require(try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int)
    }
    func compact() async throws {
      switch kind {
      case .sqlite: try await SQLiteStorage.compact(path)
      case .lmdb: try await LMDBStorage.compact(path)
      case .memory: break
      }
    }
    try await Self.fill(kind.provider(path))
    let rows = try await Self.rows(kind.provider(path))
    let storage = try await kind.open(path)
    let extra = (0..<200).map { [255, UInt8($0)] }
    let value = [UInt8](repeating: 7, count: 10_000)
    _ = try await storage.commit(StorageBatch(writes: extra.map { .put($0, value) }))
    _ = try await storage.commit(StorageBatch(writes: extra.map { .delete($0) }))
    let error = await #expect(throws: StorageError.self) { try await compact() }
    #expect(error?.code == .inUse)
    await storage.close()
    let before = try size()
    try await compact()
    #expect(before > 2_000_000)
    #expect(try size() < 500_000)
    #expect(try await Self.rows(kind.provider(path)) == rows)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy { !$0.contains("compact") })
  }

  /// Who opens the store while it is compacted is told to wait; what it commits before and afterwards is there.
  @Test(arguments: [Kind.sqlite, .lmdb]) func nothingIsLostByCompacting(kind: Kind) async throws {
    let folder = try TemporaryFolder()
    let path = folder("store")
    try await Self.fill(kind.provider(path))
    let isDone = Lock(false)
    let compacting = Task {
      var count = 0
      while !isDone.withLock({ $0 }) {
        do {
          try await kind == .sqlite ? SQLiteStorage.compact(path) : LMDBStorage.compact(path)
          count += 1
        } catch let error as StorageError where error.code == .inUse {}
        await Task.yield()
      }
      return count
    }
    let keys = (0..<60).map { [255, UInt8($0)] }
    for key in keys {
      var isCommitted = false
      while !isCommitted {
        do {
          let storage = try await kind.open(path)
          _ = try await storage.commit(StorageBatch(writes: [.put(key, [1])]))
          await storage.close()
          isCommitted = true
        } catch let error as StorageError where error.code == .inUse { await Task.yield() }
      }
    }
    isDone.withLock { $0 = true }
    #expect(try await compacting.value > 0)
    let found = try await Self.rows(kind.provider(path)).map(\.key).filter { $0.first == 255 }
    #expect(found == keys)
  }

  @Test(arguments: [Kind.sqlite, .lmdb]) func whatIsNoStoreIsLeftAlone(kind: Kind) async throws {
    let folder = try TemporaryFolder()
    for attempt in 0..<2 {
      let error = await #expect(throws: StorageError.self) {
        switch (kind, attempt) {
        case (.sqlite, 0): try await SQLiteStorage.backUp(folder("none"), to: folder("copy"))
        case (.sqlite, _): try await SQLiteStorage.compact(folder("none"))
        case (_, 0): try await LMDBStorage.backUp(folder("none"), to: folder("copy"))
        default: try await LMDBStorage.compact(folder("none"))
        }
      }
      #expect(error?.code == .foreign)
    }
    #expect(try folder.contents().isEmpty)
  }

  /// A restore that ends before its last row leaves what no server opens.
  @Test func whatWasRestoredInPartIsNoStore() async throws {
    let folder = try TemporaryFolder()
    try await Self.fill(.sqlite(folder("source")))
    let storage = try await Kind.sqlite.open(folder("source"))
    try folder.write("dump", Data(try await Self.dump(storage)))
    await storage.close()
    let full = StorageProvider("a disk that fills up") { access in
      FullAfterOneCommit(try await StorageProvider.sqlite(folder("target")).open(access))
    }
    let error = await #expect(throws: StorageError.self) {
      try await StoreDump.restore(folder("dump"), to: full)
    }
    #expect(error?.code == .full)
    let refused = await #expect(throws: StorageError.self) {
      try await Authority.open(AtomsyncConfiguration(storage: .sqlite(folder("target"))))
    }
    #expect(refused?.code == .foreign)
  }

  private final class FullAfterOneCommit: Storage {
    private let base: any Storage
    private let commits = Lock(0)

    init(_ base: any Storage) { self.base = base }

    var capabilities: StorageCapabilities { base.capabilities }
    func read(_ query: StorageQuery) async throws -> StorageSnapshot { try await base.read(query) }
    func close() async { await base.close() }

    func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] {
      let number = commits.withLock { commits in
        commits += 1
        return commits
      }
      if number > 1 { throw StorageError(.full, "No space is left.") }
      return try await base.commit(batches)
    }
  }
}
