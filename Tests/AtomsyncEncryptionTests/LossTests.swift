import Atomsync
import AtomsyncCore
import AtomsyncEncryption
import AtomsyncTesting
import Testing
import Transit

/// Whatever keys, groups and stores come together, and wherever it is interrupted: no document is lost.
@Suite(.timeLimit(.minutes(2))) struct LossTests {
  private typealias Atom = SyncedAtom<TransitValue>

  /// An atom with documents of the server's and an edit that it does not know.
  private func fill(_ sync: TestSync, _ device: TestDevice, _ encryption: EncryptionProvider) async throws {
    let atom = try await device.atom("diary", encryption: encryption)
    try atom.swap { for number in 0..<60 { $0["\(number)"] = .int(Int64(number)) } }
    try await sync.runUntilIdle()
    device.network.isOnline = false
    try await atom.swap { $0["pending"] = "here only" }.saved()
    device.kill()
  }

  private func expectAll(_ atom: Atom) {
    #expect(atom.value.count == 61 && atom.value["pending"] == "here only" && atom.status.pendingCount == 1)
  }

  @Test func anotherKeyKeepsASealedStoreAndTheOldOneCanGo() async throws {
    let sync = try await TestSync()
    let device = sync.device()
    try await fill(sync, device, .key(Keys.one, local: true))
    let rotated = EncryptionProvider.keys(KeyRing(writing: Keys.two, reading: [Keys.one]), local: true)
    expectAll(try await device.atom("diary", encryption: rotated))
    device.kill()
    expectAll(try await device.atom("diary", encryption: .key(Keys.two, local: true)))
  }

  @Test func aMistypedKeyChangesNothing() async throws {
    let sync = try await TestSync()
    let device = sync.device()
    try await fill(sync, device, .key(Keys.one))
    for wrong in [EncryptionProvider.key(Keys.two, local: true), .key(Keys.one, ids: .hidden, local: true)] {
      let error = await #expect(throws: SyncError.self) { try await device.atom("diary", encryption: wrong) }
      #expect(error?.code == .encrypted)
      device.kill()
    }
    expectAll(try await device.atom("diary", encryption: .key(Keys.one)))
  }

  @Test func anotherGroupChangesNothing() async throws {
    let client = try await AtomsyncClient.open(AtomsyncConfiguration())
    let diary = try await client.atom("diary", encryption: .key(Keys.one))
    try await diary.swap { $0["a"] = "text" }.saved()
    await diary.close()
    let error = await #expect(throws: SyncError.self) {
      try await client.atom("other", name: "diary", encryption: .key(Keys.one, local: true))
    }
    #expect(error?.code == .wrongGroup)
    #expect(try await client.atom("diary", encryption: .key(Keys.one, local: true)).value["a"] == "text")
    try await client.close()
  }

  /// Interrupted while its rows are sealed, or made plain again, a store is opened the other way.
  @Test(arguments: 0..<6, [true, false]) func anInterruptedSealingCanTurnBack(commits: Int, toSealed: Bool)
    async throws
  {
    let sync = try await TestSync()
    let device = sync.device()
    try await fill(sync, device, .key(Keys.one, local: !toSealed))
    device.disk.plan(.crash(.after), afterCommits: commits)
    _ = try? await device.atom("diary", encryption: .key(Keys.one, local: toSealed))
    device.kill()
    // Without the key it is refused, or nothing had begun.
    if let plain = try? await device.atom("diary", encryption: nil) { expectAll(plain) }
    device.kill()
    expectAll(try await device.atom("diary", encryption: .key(Keys.one, local: !toSealed)))
    device.kill()
    expectAll(try await device.atom("diary", encryption: .key(Keys.one, local: toSealed)))
  }

  /// The disk is full while the rows are sealed: the atom cannot be opened, until there is room.
  @Test(arguments: 0..<6) func aFullDiskLosesNothing(commits: Int) async throws {
    let sync = try await TestSync()
    let device = sync.device()
    try await fill(sync, device, .key(Keys.one))
    let sealed = EncryptionProvider.key(Keys.one, local: true)
    device.disk.plan(.fail(StorageError(.full, "no room, as the test asked")), afterCommits: commits)
    _ = await #expect(throws: StorageError.self) { try await device.atom("diary", encryption: sealed) }
    device.kill()
    expectAll(try await device.atom("diary", encryption: sealed))
  }

  /// A device that has had the documents in the clear, and edits of its own, opens them with a key.
  @Test(arguments: [false, true]) func anAtomThatWasNotEncryptedKeepsEverything(local: Bool) async throws {
    let sync = try await TestSync()
    let device = sync.device()
    let plain = try await device.atom("diary")
    try plain.swap { for number in 0..<60 { $0["\(number)"] = .int(Int64(number)) } }
    try await sync.runUntilIdle()
    device.network.isOnline = false
    try await plain.swap { $0["pending"] = "here only" }.saved()
    device.kill()
    let adopting = EncryptionProvider.keys(KeyRing(writing: Keys.one), local: local, adoptingUnsealed: true)
    let atom = try await device.atom("diary", encryption: adopting)
    expectAll(atom)
    device.network.isOnline = true
    try await eventually {
      try await sync.page("diary").documents.allSatisfy { $0.content.payload?.keyID != nil }
        && atom.status.pendingCount == 0
    }
    #expect(atom.value.count == 61 && atom.conflicts.isEmpty && atom.status.outdatedCount == 0)
    #expect(try await sync.page("diary").documents.count == 61)
  }

  /// What was removed by its pseudonym was meanwhile written by a key that is known.
  @Test func aRemovalByPseudonymMeetsAnotherValue() async throws {
    let sync = try await TestSync()
    let newer = EncryptionProvider.keys(
      KeyRing(writing: Keys.two, reading: [Keys.one], ids: Keys.one), ids: .hidden)
    let writing = sync.device()
    let writer = try await writing.atom("diary", encryption: newer)
    let device = sync.device()
    let reader = try await device.atom("diary", encryption: .key(Keys.one, ids: .hidden))
    _ = try await writer.swap { $0["a"] = "by the second key" }.confirmed()
    try await sync.runUntilIdle()
    let former = try #require(reader.unopened.keys.first)
    device.network.isOnline = false
    try await reader.swap { $0.remove(former) }.saved()
    writing.kill()  // or it would seal anew what is written by the first key
    let old = try await sync.device().atom(
      "diary", encryption: .keys(KeyRing(writing: Keys.one, upcoming: [Keys.two]), ids: .hidden))
    try await old.sync()
    _ = try await old.swap { $0["a"] = "by the first" }.confirmed()
    device.network.isOnline = true
    try await sync.runUntilIdle()
    #expect(reader.value.ids == ["a"] && reader.value["a"] != nil && old.value["a"] != nil)
    #expect(reader.conflicts.contains { $0.document == "a" && $0.local == nil && $0.outcome == .serverWon })
    #expect(throws: SyncError.self) { try reader.swap { $0["unopened:my secret name"] = 1 } }
  }

  /// Sealed, a document may be too large for the server: it stays as it is, and nothing is said to be rejected.
  @Test func whatIsTooLargeToBeSealedAnewStays() async throws {
    let sync = try await TestSync { $0.limits.valueBytes = 1000 }
    let plain = try await sync.device().atom("diary")
    _ = try await plain.swap { $0["a"] = .string(String(repeating: "x", count: 900)) }.confirmed()
    let atom = try await sync.device().atom(
      "diary", encryption: .keys(KeyRing(writing: Keys.one), adoptingUnsealed: true))
    try await sync.runUntilIdle()
    #expect(atom.rejections.isEmpty && atom.status.outdatedCount == 1 && atom.value["a"] != nil)
    try await atom.sync()
  }

  /// Two devices whose rings contradict each other do not seal a document anew for ever.
  @Test func contradictoryRingsComeToRest() async throws {
    let sync = try await TestSync()
    let one = try await sync.device().atom(
      "diary", encryption: .keys(KeyRing(writing: Keys.one, reading: [Keys.two])))
    let two = try await sync.device().atom(
      "diary", encryption: .keys(KeyRing(writing: Keys.two, reading: [Keys.one])))
    _ = try await one.swap { $0["a"] = "text" }.confirmed()
    try await sync.runUntilIdle()
    #expect(one.value["a"] == "text" && two.value["a"] == "text")
    #expect(try await sync.page("diary").documents[0].version < 10)
  }
}
