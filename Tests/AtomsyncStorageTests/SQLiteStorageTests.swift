import AtomsyncCore
import AtomsyncSQLite
import Foundation
import Testing

@Suite struct SQLiteStorageTests {
  private let folder: TemporaryFolder
  private var path: String { folder("store.db") }

  init() throws { self.folder = try TemporaryFolder() }

  /// Opening `name` must fail with `code`, tell the path, and change nothing in the folder.
  private func refuses(_ code: StorageError.Code, at name: String = "store.db") async throws {
    let before = try folder.contents()
    let error = await #expect(throws: StorageError.self) {
      await (try SQLiteStorage.open(folder(name))).close()
    }
    #expect(error?.code == code)
    #expect(error?.message.contains(folder(name)) == true)
    #expect(error?.description.contains("\n") == false)
    #expect(try folder.contents() == before)
  }

  private func makeStore() async throws {
    let storage = try await SQLiteStorage.open(path)
    _ = try await storage.commit(StorageBatch(writes: [.put([1], [1])]))
    await storage.close()
    try FileManager.default.removeItem(atPath: path + ".lock")
  }

  /// Overwrites bytes of the header.
  private func patch(_ offset: Int, _ bytes: [UInt8]) throws {
    var data = try folder.bytes("store.db")
    data.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    try folder.write("store.db", data)
  }

  @Test(arguments: [Data("hi".utf8), Data(repeating: 0, count: 8_192), Data(repeating: 0xA5, count: 5_000)])
  func leavesOtherFilesAlone(_ content: Data) async throws {
    try folder.write("store.db", content)
    try await refuses(.foreign)
  }

  @Test func leavesFoldersAlone() async throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try await refuses(.foreign)
  }

  @Test(arguments: [0, 0x0102_0304])
  func leavesDatabasesOfOthersAlone(_ application: UInt32) async throws {
    try await makeStore()
    try patch(68, (0..<4).map { UInt8(truncatingIfNeeded: application >> (24 - 8 * $0)) })
    try await refuses(.foreign)
  }

  @Test func leavesALogBesideAnEmptyFileAlone() async throws {
    try folder.write("store.db", Data())
    try folder.write("store.db-wal", Data("somebody's".utf8))
    try await refuses(.foreign)
  }

  @Test func leavesNewerLayoutsAlone() async throws {
    try await makeStore()
    try patch(60, [0, 0, 0, 2])
    try await refuses(.newerFormat)
  }

  @Test func needsAFolder() async throws {
    try await refuses(.inaccessible, at: "nowhere/store.db")
  }

  @Test func startsInAnEmptyFile() async throws {
    try folder.write("store.db", Data())
    try await makeStore()
    #expect(try folder.names() == ["store.db"])
  }

  @Test func reportsDamage() async throws {
    let storage = try await SQLiteStorage.open(path)
    let value = [UInt8](repeating: 1, count: 500)
    _ = try await storage.commit(
      StorageBatch(writes: (0..<2_000).map { .put([UInt8($0 / 256), UInt8($0 % 256)], value) }))
    await storage.close()
    let size = try folder.size("store.db")
    // Everything after the schema's page.
    try patch(4_096, [UInt8](repeating: 0xEE, count: size - 4_096))
    let error = await #expect(throws: StorageError.self) {
      let storage = try await SQLiteStorage.open(path)
      _ = try await storage.scan(StorageScan(.all))
    }
    #expect(error?.code == .corrupt)
  }

  #if os(Linux)
  @Test func lookingAtAnOpenStoreKeepsItsLocks() async throws {
    // A second handle looks at the header. Had it opened the file by itself, closing it would have dropped the
    // first handle's locks, and another process could have removed the log under it.
    try await makeStore()
    // Opened before and closed after everything else, for the same reason.
    let descriptor = open(path, O_RDWR)
    defer { close(descriptor) }
    let first = try await SQLiteStorage.open(path)
    _ = try await first.commit(StorageBatch(writes: [.put([1], [1])]))
    #expect(try Self.isLocked(descriptor))
    await (try SQLiteStorage.open(path)).close()
    #expect(try Self.isLocked(descriptor))
    await first.close()
    #expect(try !Self.isLocked(descriptor))
  }

  /// Whether any process has locked a part of the file, seen from a descriptor with locks of its own.
  private static func isLocked(_ descriptor: Int32) throws -> Bool {
    var lock = flock()
    lock.l_type = Int16(F_WRLCK)
    let askForDescriptor: Int32 = 36  // F_OFD_GETLK
    try #require(fcntl(descriptor, askForDescriptor, &lock) == 0)
    return lock.l_type != Int16(F_UNLCK)
  }
  #endif

  @Test func theLogStaysShort() async throws {
    let storage = try await SQLiteStorage.open(path, durability: .process)
    let other = try await SQLiteStorage.open(path, durability: .process)
    var longest = 0
    for round in 0..<600 {
      let value = [UInt8](repeating: UInt8(round % 251), count: 100_000)
      // 60 MB of commits with readers of two connections in between.
      _ = try await storage.commit(StorageBatch(writes: [.put([UInt8(round % 50)], value)]))
      _ = try await other.read([UInt8(round % 50)])
      longest = max(longest, try folder.size("store.db-wal"))
    }
    #expect(longest < 20 << 20)
    await storage.close()
    await other.close()
    #expect(try folder.names() == ["store.db", "store.db.lock"])
  }

  @Test func startedTogetherAllOpenOneStore() async throws {
    try await withThrowingTaskGroup { group in
      for number in UInt8(0)..<8 {
        group.addTask { [path] in
          let storage = try await SQLiteStorage.open(path)
          _ = try await storage.commit(StorageBatch(writes: [.put([number], [number])]))
          await storage.close()
        }
      }
      try await group.waitForAll()
    }
    let storage = try await SQLiteStorage.open(path)
    #expect(try await storage.scan(StorageScan(.all)).entries.count == 8)
    await storage.close()
  }

  @Test func linksLeadToTheSameLock() async throws {
    try await makeStore()
    try FileManager.default.createSymbolicLink(atPath: folder("link.db"), withDestinationPath: path)
    let storage = try await SQLiteStorage.open(path, access: .exclusive)
    let error = await #expect(throws: StorageError.self) {
      await (try SQLiteStorage.open(folder("link.db"))).close()
    }
    #expect(error?.code == .inUse)
    await storage.close()
  }

  @Test func droppedWithoutCloseLetsGo() async throws {
    do {
      let storage = try await SQLiteStorage.open(path, access: .exclusive)
      _ = try await storage.commit(StorageBatch(writes: [.put([1], [1])]))
    }
    let again = try await SQLiteStorage.open(path, access: .exclusive)
    #expect(try await again.read([1]) == [1])
    await again.close()
  }
}
