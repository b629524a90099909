import AtomsyncCore
import AtomsyncLMDB
import Foundation
import Testing

@Suite struct LMDBStorageTests {
  private let folder: TemporaryFolder
  private var path: String { folder("store") }

  init() throws { self.folder = try TemporaryFolder() }

  /// Opening the store must fail with `code`, tell the path, and change nothing in the folder.
  private func refuses(_ code: StorageError.Code, at path: String? = nil) async throws {
    let before = try folder.contents()
    let error = await #expect(throws: StorageError.self) {
      await (try LMDBStorage.open(path ?? self.path)).close()
    }
    #expect(error?.code == code)
    #expect(error?.message.contains(path ?? self.path) == true)
    #expect(error?.description.contains("\n") == false)
    #expect(try folder.contents() == before)
  }

  private func makeStore(_ entries: Int = 1) async throws {
    let storage = try await LMDBStorage.open(path)
    let value = [UInt8](repeating: 1, count: 100)
    _ = try await storage.commit(
      StorageBatch(writes: (0..<entries).map { .put([1, UInt8($0 / 256), UInt8($0 % 256)], value) }))
    await storage.close()
  }

  private func makeFolder() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  @Test func whatFailsInTheMiddleLeavesNothing() async throws {
    let storage = try await LMDBStorage.open(path)
    let tooLong = [UInt8](repeating: 1, count: 10_000)
    await #expect(throws: StorageError.self) {
      try await storage.commit([
        StorageBatch(writes: [.put([1], [1])]), StorageBatch(writes: [.put(tooLong, [2])]),
      ])
    }
    #expect(try await storage.read([1]) == nil)
    await storage.close()
  }

  @Test func leavesFilesAlone() async throws {
    try folder.write("store", Data("SQLite format 3\0".utf8))
    try await refuses(.foreign)
  }

  @Test func leavesFoldersOfOthersAlone() async throws {
    try makeFolder()
    try folder.write("store/letter.txt", Data("dear".utf8))
    try await refuses(.foreign)
  }

  @Test(arguments: [Data("no".utf8), Data(repeating: 0x5A, count: 20_000), Data(repeating: 0, count: 8_192)])
  func leavesOtherDataAlone(_ content: Data) async throws {
    try makeFolder()
    try folder.write("store/data.mdb", content)
    try await refuses(.foreign)
  }

  @Test(arguments: [true, false])
  func leavesEnvironmentsOfOthersAlone(_ hasLock: Bool) async throws {
    try makeFolder()
    try OtherEnvironment.make(path, ["key": [1]])
    if !hasLock { try FileManager.default.removeItem(atPath: path + "/lock.mdb") }
    try await refuses(.foreign)
    try FileManager.default.removeItem(atPath: path)
    try makeFolder()
    try OtherEnvironment.make(path, ["key": [1]], database: "atomsync")
    try await refuses(.foreign)
  }

  @Test func leavesNewerLayoutsAlone() async throws {
    try makeFolder()
    try OtherEnvironment.make(path, ["atomsync.layout": [2]])
    try await refuses(.newerFormat)
  }

  @Test func startsInAnEmptyEnvironment() async throws {
    try makeFolder()
    try OtherEnvironment.make(path, [:])
    try await makeStore()
    try await makeStore()
  }

  @Test func needsAFolder() async throws {
    try await refuses(.inaccessible, at: folder("nowhere/store"))
  }

  @Test func reportsAFileThatWasCutShort() async throws {
    try await makeStore(5_000)
    let data = try folder.bytes("store/data.mdb")
    try folder.write("store/data.mdb", data.prefix(2 * 4_096))
    try await refuses(.corrupt)
    try folder.write("store/data.mdb", data.prefix(4_096))
    try await refuses(.corrupt)
  }

  @Test func theMapGrows() async throws {
    let storage = try await LMDBStorage.open(
      path, access: .shared, durability: .process, mapSize: 1 << 20)
    let value = [UInt8](repeating: 7, count: 100_000)
    try await withThrowingTaskGroup { group in
      group.addTask {
        for key in UInt8(0)..<200 {
          _ = try await storage.commit(StorageBatch(writes: [.put([key], value)]))
        }
      }
      group.addTask {
        for _ in 0..<200 { _ = try await storage.scan(StorageScan(.all, limit: 20)) }
      }
      try await group.waitForAll()
    }
    // One commit that needs several steps.
    let batch = StorageBatch(writes: (0..<UInt8(200)).map { .put([$0, 1], value + value + value) })
    #expect(try await storage.commit(batch) == .committed)
    #expect(try await storage.scan(StorageScan(.all)).entries.count == 400)
    await storage.close()
    let again = try await LMDBStorage.open(path)
    #expect(try await again.read([199, 1])?.count == 300_000)
    await again.close()
  }

  /// Each reader begins its next read at once, and there are more of them than threads that read.
  @Test func readersWithoutAPauseDoNotKeepTheMapFromGrowing() async throws {
    let storage = try await LMDBStorage.open(
      path, access: .shared, durability: .process, mapSize: 1 << 20)
    let isDone = Lock(false)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<5 {
        group.addTask {
          while !isDone.withLock({ $0 }) { _ = try await storage.scan(StorageScan(.all, limit: 20)) }
        }
      }
      let value = [UInt8](repeating: 7, count: 100_000)
      for key in UInt8(0)..<30 {
        _ = try await storage.commit(StorageBatch(writes: [.put([key], value)]))
      }
      isDone.withLock { $0 = true }
      try await group.waitForAll()
    }
    await storage.close()
  }

  @Test func oneEnvironmentForAllNamesOfAFolder() async throws {
    let first = try await LMDBStorage.open(path)
    try FileManager.default.createSymbolicLink(atPath: folder("link"), withDestinationPath: folder.path)
    let second = try await LMDBStorage.open(folder("link/./store/"))
    // Reads of two environments in one process would break each other's reader locks; these see each other.
    for count in UInt8(0)..<50 {
      _ = try await first.commit(StorageBatch(writes: [.put([1], [count])]))
      #expect(try await second.read([1]) == [count])
    }
    await first.close()
    #expect(try await second.read([1]) == [49])
    let error = await #expect(throws: StorageError.self) {
      try await LMDBStorage.open(path, access: .exclusive)
    }
    #expect(error?.code == .inUse)
    await second.close()
    await (try LMDBStorage.open(path, access: .exclusive)).close()
  }

  @Test func startedTogetherAllOpenOneStore() async throws {
    try await withThrowingTaskGroup { group in
      for number in UInt8(1)...8 {
        group.addTask { [path] in
          for round in UInt8(0)..<10 {
            let storage = try await LMDBStorage.open(path)
            _ = try await storage.commit(StorageBatch(writes: [.put([number, round], [])]))
            await storage.close()
          }
        }
      }
      try await group.waitForAll()
    }
    let storage = try await LMDBStorage.open(path)
    #expect(try await storage.scan(StorageScan(.all)).entries.count == 80)
    await storage.close()
  }

  /// A second environment on a folder that is still open would take its locks away when it closes.
  @Test func atMostOneEnvironmentIsOpen() async throws {
    let path = path
    try await makeStore()
    for _ in 0..<200 {
      let old = try await LMDBStorage.open(path)
      async let closed: Void = old.close()
      let new = try await LMDBStorage.open(path)
      #expect(try Self.openLockFiles(path) <= 1)
      await closed
      #expect(try await new.read([1, 0, 0])?.count == 100)
      await new.close()
    }
  }

  /// How often this process has the environment's lock file open.
  private static func openLockFiles(_ path: String) throws -> Int {
    #if os(Linux)
    let file = URL(filePath: path).resolvingSymlinksInPath().path + "/lock.mdb"
    let all = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
    return all.count {
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == file
    }
    #else
    return 0
    #endif
  }

  @Test func droppedWithoutCloseLetsGo() async throws {
    do {
      let storage = try await LMDBStorage.open(path, access: .exclusive)
      _ = try await storage.commit(StorageBatch(writes: [.put([1], [1])]))
      _ = try await storage.read([1])
    }
    let again = try await LMDBStorage.open(path, access: .exclusive)
    #expect(try await again.read([1]) == [1])
    await again.close()
  }

  @Test func anEmptyKeyIsRefused() async throws {
    let storage = try await LMDBStorage.open(path)
    let error = await #expect(throws: StorageError.self) {
      try await storage.commit(StorageBatch(writes: [.put([1], []), .put([], [])]))
    }
    #expect(error?.code == .failed)
    #expect(try await storage.read([[1], []]) == [nil, nil])
    await storage.close()
  }
}
