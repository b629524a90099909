import Atomsync
import AtomsyncCore
import AtomsyncEncryption
import AtomsyncLMDB
import AtomsyncSQLite
import AtomsyncTesting
import Foundation
import Testing
import Transit

/// A store on this machine that is sealed as well.
@Suite(.timeLimit(.minutes(2))) struct StoreTests {
  private static let word = "xylophone"

  /// Fills an atom with rows of every kind, each with the word in it.
  private func fill(_ device: TestDevice, _ sync: TestSync, _ encryption: EncryptionProvider) async throws
    -> Shown
  {
    let atom = try await device.atom("diary", encryption: encryption)
    let other = try await sync.device().atom("diary", encryption: encryption)
    try atom.swap {
      for number in 0..<50 { $0["\(Self.word) \(number)"] = .string("\(Self.word) text \(number)") }
    }
    try await sync.runUntilIdle()
    device.network.isOnline = false
    _ = try await other.swap { $0["\(Self.word) 1"] = .string("\(Self.word) of another") }.confirmed()
    let receipt = try atom.swap { $0["\(Self.word) 1"] = .string("\(Self.word) that loses") }
    device.network.isOnline = true
    try await sync.runUntilIdle()
    device.network.plan(.fail(TransportError(.refused, "no", cause: "not-allowed")), on: .push)
    let refused = try atom.swap { $0["\(Self.word) refused"] = .string("\(Self.word) refused") }
    #expect(try await !refused.confirmed().isAccepted)
    device.network.isOnline = false
    try await atom.swap { $0["\(Self.word) pending"] = .string("\(Self.word) pending") }.saved()
    #expect(atom.conflicts.count == 1 && atom.rejections.count == 1 && atom.status.pendingCount == 1)
    return try await Shown(atom, receipt.id)
  }

  /// What an application sees of an atom.
  private struct Shown: Equatable {
    var contents: [String: TransitValue]
    var conflicts: [Conflict]
    var rejections: [Rejection]
    var pending: [String]
    var receipt: Receipt.ID
    var verdicts: [String: Verdict]

    init(_ atom: SyncedAtom<TransitValue>, _ receipt: Receipt.ID) async throws {
      contents = atom.contents
      conflicts = atom.conflicts
      rejections = atom.rejections
      pending = atom.status.pendingIDs
      self.receipt = receipt
      verdicts = try await atom.receipt(receipt).confirmed().verdicts
    }
  }

  private func rows(_ device: TestDevice) async throws -> [StorageEntry] {
    try await device.disk.reopened().scan(StorageScan(.all)).entries
  }

  /// How many rows have the word in them.
  private func wordCount(_ device: TestDevice) async throws -> Int {
    try await rows(device).count { entry in
      [entry.key, entry.value].contains { String(decoding: $0, as: UTF8.self).contains(Self.word) }
    }
  }

  @Test func aSealedStoreHasNoPlaintextAndIsTheSame() async throws {
    let sync = try await TestSync()
    let device = sync.device()
    let encryption = EncryptionProvider.key(Keys.one, ids: .hidden, local: true)
    let shown = try await fill(device, sync, encryption)
    device.kill()
    #expect(try await rows(device).count > 100)
    #expect(try await wordCount(device) == 0)
    let again = try await device.atom("diary", encryption: encryption)
    #expect(try await Shown(again, shown.receipt) == shown)
    let bytes = try await sync.page("diary").documents.flatMap {
      Array($0.id.utf8) + ($0.content.payload?.bytes ?? [])
    }
    #expect(!String(decoding: bytes, as: UTF8.self).contains(Self.word))
  }

  @Test func aStoreIsSealedAndPlainAgainAsItIsOpened() async throws {
    let sync = try await TestSync()
    let device = sync.device()
    let shown = try await fill(device, sync, .key(Keys.one))
    for isSealed in [true, false, true] {
      device.kill()
      let atom = try await device.atom("diary", encryption: .key(Keys.one, local: isSealed))
      #expect(try await Shown(atom, shown.receipt) == shown)
      let count = try await wordCount(device)
      #expect((count == 0) == isSealed)
    }
  }

  /// Half of the rows are sealed when the power goes: the next time it goes on.
  @Test(arguments: [0, 1, 2, 3]) func sealingAStoreSurvivesACrash(commits: Int) async throws {
    let sync = try await TestSync()
    let device = sync.device()
    let shown = try await fill(device, sync, .key(Keys.one))
    device.kill()
    device.disk.plan(.crash(.before), afterCommits: commits)
    let sealed = EncryptionProvider.key(Keys.one, local: true)
    _ = try? await device.atom("diary", encryption: sealed)
    device.kill()
    let atom = try await device.atom("diary", encryption: sealed)
    #expect(try await Shown(atom, shown.receipt) == shown)
    #expect(try await wordCount(device) == 0)
  }

  @Test func aSealedStoreIsNotOpenedWithoutItsKey() async throws {
    let sync = try await TestSync()
    let device = sync.device()
    _ = try await fill(device, sync, .key(Keys.one, local: true))
    for wrong in [nil, EncryptionProvider.key(Keys.two), .key(Keys.two, local: true)] {
      device.kill()
      let error = await #expect(throws: SyncError.self) { try await device.atom("diary", encryption: wrong) }
      #expect(error?.code == .encrypted)
    }
    // Another atom of the same store is another matter.
    device.kill()
    #expect(try await device.atom("plain").value.isEmpty)
  }

  @Test func aChangedRowIsAnErrorAndNoValue() async throws {
    let sync = try await TestSync()
    let device = sync.device()
    _ = try await fill(device, sync, .key(Keys.one, local: true))
    device.kill()
    let all = try await rows(device).filter { $0.value.first == 2 }
    let (one, two) = (all[3], all[4])
    // Two rows exchanged: each is genuine, and not in its place.
    _ = try await device.disk.reopened().commit(
      StorageBatch(writes: [.put(one.key, two.value), .put(two.key, one.value)]))
    let error = await #expect(throws: StorageError.self) {
      try await device.atom("diary", encryption: .key(Keys.one, local: true))
    }
    #expect(error?.code == .corrupt)
  }

  @Test(arguments: ["sqlite", "lmdb"]) func aFileHasNoPlaintext(kind: String) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sealed-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("store").path
    let configuration = AtomsyncConfiguration(storage: kind == "sqlite" ? .sqlite(path) : .lmdb(path))
    let client = try await AtomsyncClient.open(configuration)
    let atom = try await client.atom("diary", encryption: .key(Keys.one, local: true))
    for number in 0..<200 {
      try atom.swap { $0["\(Self.word)/\(number)"] = .string("\(Self.word) \(number)") }
    }
    try await client.close()
    let files = try #require(FileManager.default.enumerator(atPath: folder.path)).compactMap { $0 as? String }
    var bytes = 0
    for file in files {
      let data = FileManager.default.contents(atPath: folder.appendingPathComponent(file).path) ?? Data()
      bytes += data.count
      #expect(data.range(of: Data(Self.word.utf8)) == nil, "\(file) has plaintext")
    }
    #expect(bytes > 20_000)
  }
}
