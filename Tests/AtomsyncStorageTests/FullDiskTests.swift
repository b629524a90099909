import AtomsyncCore
import AtomsyncLMDB
import AtomsyncSQLite
import Foundation
import Testing

#if os(Linux)
/// A disk that fills up: a small file system in memory, where the tests may mount one.
@Suite(.serialized, .enabled(if: SmallDisk.isPossible, "needs the right to mount a tmpfs"))
struct FullDiskTests {
  @Test(arguments: ChildRole.Kind.allCases)
  func fullAndFreed(_ kind: ChildRole.Kind) async throws {
    let disk = try SmallDisk(megabytes: 6)
    defer { disk.unmount() }
    try Data(repeating: 1, count: 3 << 20).write(to: URL(filePath: disk.path + "/ballast"))
    let provider = ChildRole(.write, kind, disk.path + "/store").provider
    let storage = try await provider.open(.shared)

    // Fill it, with values of several pages and small ones.
    var written: [[UInt8]] = []
    var failure: StorageError?
    var number = 0
    while failure == nil, number < 5_000 {
      let key = [1, UInt8(number / 256), UInt8(number % 256)]
      let value = [UInt8](repeating: UInt8(number % 256), count: number % 3 == 0 ? 9_000 : 300)
      do {
        _ = try await storage.commit(StorageBatch(writes: [.put(key, value), .put([2] + key, value)]))
        written.append(key)
      } catch let error as StorageError {
        failure = error
      }
      number += 1
    }
    #expect(failure?.code == .full)
    #expect(failure?.message.contains(disk.path) == true)

    // Still full, nothing torn, all that was answered can be read, and a second opening is told why it fails
    // or works.
    for _ in 1...20 {
      let error = await #expect(throws: StorageError.self) {
        try await storage.commit(StorageBatch(writes: [.put([3], [UInt8](repeating: 3, count: 2 << 20))]))
      }
      #expect(error?.code == .full)
    }
    try await expectPairs(storage, written)
    do {
      await (try provider.open(.shared)).close()
    } catch let error as StorageError {
      #expect(error.code == .full)
    }

    // Freed, it goes on.
    try FileManager.default.removeItem(atPath: disk.path + "/ballast")
    _ = try await storage.commit(StorageBatch(writes: [.put([3], [UInt8](repeating: 3, count: 500_000))]))
    try await expectPairs(storage, written)
    await storage.close()
    let again = try await provider.open(.exclusive)
    try await expectPairs(again, written)
    #expect(try await again.read([3])?.count == 500_000)
    await again.close()
  }

  @Test(arguments: ChildRole.Kind.allCases)
  func aFullDiskFromTheStart(_ kind: ChildRole.Kind) async throws {
    let disk = try SmallDisk(megabytes: 1)
    defer { disk.unmount() }
    let ballast = disk.path + "/ballast"
    #expect(FileManager.default.createFile(atPath: ballast, contents: nil))
    let handle = try #require(FileHandle(forWritingAtPath: ballast))
    // Fails once the disk is full, which is the point.
    for _ in 0..<4_096 { if (try? handle.write(contentsOf: Data(count: 1_024))) == nil { break } }
    try handle.close()
    let provider = ChildRole(.write, kind, disk.path + "/store").provider
    let error = await #expect(throws: StorageError.self) {
      await (try provider.open(.shared)).close()
    }
    #expect(error?.code == .full)
    try FileManager.default.removeItem(atPath: ballast)
    let storage = try await provider.open(.shared)
    _ = try await storage.commit(StorageBatch(writes: [.put([1], [1])]))
    await storage.close()
  }

  private func expectPairs(_ storage: any Storage, _ keys: [[UInt8]]) async throws {
    let scans = [StorageScan(KeyRange(prefix: [1])), StorageScan(KeyRange(prefix: [2]))]
    let snapshot = try await storage.read(StorageQuery(scans: scans))
    #expect(snapshot.scans[0].entries.map(\.key) == keys)
    #expect(snapshot.scans[1].entries.map { Array($0.key.dropFirst()) } == keys)
    #expect(snapshot.scans[0].entries.map(\.value) == snapshot.scans[1].entries.map(\.value))
  }
}

/// A mounted tmpfs of a few megabytes.
struct SmallDisk {
  struct CannotMount: Error {}
  private let folder: TemporaryFolder
  var path: String { folder.path }

  static let isPossible: Bool = {
    guard let disk = try? SmallDisk(megabytes: 1) else { return false }
    disk.unmount()
    return true
  }()

  init(megabytes: Int) throws {
    self.folder = try TemporaryFolder()
    guard mount("tmpfs", folder.path, "tmpfs", 0, "size=\(megabytes)m") == 0 else { throw CannotMount() }
  }

  /// Lets go of it at once, even if something is still open there.
  func unmount() { umount2(path, Int32(MNT_DETACH)) }
}
#endif
