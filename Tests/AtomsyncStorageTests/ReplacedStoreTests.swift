import AtomsyncCore
import AtomsyncLMDB
import AtomsyncSQLite
import Foundation
import Testing

/// A store whose file is taken away under the running program: nothing is acknowledged that the file at the path does not have.
@Suite struct ReplacedStoreTests {
  enum Kind: CaseIterable {
    case sqlite, lmdb

    var file: String { self == .sqlite ? "store" : "store/data.mdb" }

    func open(_ path: String) async throws -> any Storage {
      switch self {
      case .sqlite: try await SQLiteStorage.open(path)
      case .lmdb: try await LMDBStorage.open(path)
      }
    }
  }

  private let folder: TemporaryFolder

  init() throws { self.folder = try TemporaryFolder() }

  private func refuses(_ storage: any Storage, _ what: String) async throws {
    let error = await #expect(throws: StorageError.self) {
      try await storage.commit(StorageBatch(writes: [.put([2], [2])]))
    }
    #expect(error?.code == .inaccessible && error?.message.contains(what) == true)
    let other = await #expect(throws: StorageError.self) { try await storage.read([1]) }
    #expect(other?.code == .inaccessible)
  }

  @Test(arguments: Kind.allCases) func aFileThatWasRemoved(_ kind: Kind) async throws {
    let storage = try await kind.open(folder("store"))
    _ = try await storage.commit(StorageBatch(writes: [.put([1], [1])]))
    try FileManager.default.moveItem(atPath: folder(kind.file), toPath: folder("aside"))
    try await refuses(storage, "was removed")
    try FileManager.default.moveItem(atPath: folder("aside"), toPath: folder(kind.file))
    _ = try await storage.commit(StorageBatch(writes: [.put([3], [3])]))
    #expect(try await storage.read([3]) == [3], "it is there again")
    await storage.close()
  }

  @Test(arguments: Kind.allCases) func aFileThatWasReplaced(_ kind: Kind) async throws {
    let storage = try await kind.open(folder("store"))
    _ = try await storage.commit(StorageBatch(writes: [.put([1], [1])]))
    try FileManager.default.copyItem(atPath: folder(kind.file), toPath: folder("copy"))
    try FileManager.default.removeItem(atPath: folder(kind.file))
    try FileManager.default.moveItem(atPath: folder("copy"), toPath: folder(kind.file))
    try await refuses(storage, "was replaced")
    await storage.close()
  }

  /// LMDB maps its file: to look at a page that is not there ends the process with a signal.
  @Test(arguments: Kind.allCases) func aFileThatWasCutShort(_ kind: Kind) async throws {
    let storage = try await kind.open(folder("store"))
    let value = [UInt8](repeating: 1, count: 1000)
    _ = try await storage.commit(
      StorageBatch(writes: (0..<200).map { .put([1, UInt8($0)], value) }))
    truncate(folder(kind.file), 0)
    try await refuses(storage, "was cut short")
    await storage.close()
  }

  @Test(arguments: Kind.allCases) func aNewStoreIsForItsOwnerAlone(_ kind: Kind) async throws {
    let storage = try await kind.open(folder("store"))
    _ = try await storage.commit(StorageBatch(writes: [.put([1], [1])]))
    for name in try folder.contents().keys {
      let attributes = try FileManager.default.attributesOfItem(atPath: folder(name))
      let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
      #expect(mode & 0o077 == 0, "\(name) has \(String(mode, radix: 8))")
    }
    await storage.close()
  }
}
