import Atomsync
import AtomsyncCore
import AtomsyncEncryption
import AtomsyncTesting
import Foundation
import Testing
import Transit

/// Several keys, other keys, and none.
@Suite(.timeLimit(.minutes(1))) struct KeyTests {
  @Test(arguments: [EncryptionProvider.DocumentIDs.readable, .hidden])
  func whatNoKeyOpensIsKeptUntilOneDoes(ids: EncryptionProvider.DocumentIDs) async throws {
    let sync = try await TestSync()
    let newer = KeyRing(writing: Keys.two, reading: [Keys.one], ids: Keys.one)
    let writer = try await sync.device().atom("diary", encryption: .keys(newer, ids: ids))
    let device = sync.device()
    var reader = try await device.atom("diary", encryption: .key(Keys.one, ids: ids))
    try writer.swap {
      $0["a"] = "sealed by the second key"
      $0["b"] = "this too"
    }
    try await sync.runUntilIdle()
    #expect(Set(reader.unopened.values) == [.unknownKey] && reader.unopened.count == 2)
    _ = try await reader.swap { $0["c"] = "by the first" }.confirmed()
    device.kill()
    // With the key it opens, without a word from the server.
    device.network.isOnline = false
    reader = try await device.atom("diary", encryption: .keys(newer, ids: ids))
    #expect(reader.contents == ["a": "sealed by the second key", "b": "this too", "c": "by the first"])
    device.network.isOnline = true
    try await sync.runUntilIdle()
    #expect(writer.contents == reader.contents && reader.conflicts.isEmpty)
  }

  @Test func aDocumentThatCannotBeOpenedCanBeRemovedByWhoCannotTellItsID() async throws {
    let sync = try await TestSync()
    let writer = try await sync.device().atom("diary", encryption: .key(Keys.two, ids: .hidden))
    let reader = try await sync.device().atom("diary", encryption: .key(Keys.one, ids: .hidden))
    _ = try await writer.swap { $0["a"] = "secret" }.confirmed()
    try await sync.runUntilIdle()
    let id = try #require(reader.unopened.keys.first)
    _ = try await reader.swap { $0.remove(id) }.confirmed()
    try await sync.runUntilIdle()
    #expect(writer.value.isEmpty && reader.value.isEmpty)
  }

  @Test func anotherKeySealsEverythingAnewWithoutAWord() async throws {
    let sync = try await TestSync { $0.limits.documentsPerPush = 10 }
    let device = sync.device()
    var atom = try await device.atom("diary", encryption: .key(Keys.one))
    let other = try await sync.device().atom(
      "diary", encryption: .keys(KeyRing(writing: Keys.one, upcoming: [Keys.two])))
    try atom.swap { for number in 0..<55 { $0["\(number)"] = .int(Int64(number)) } }
    try await sync.runUntilIdle()
    let shown = atom.contents
    device.kill()
    // Interrupted after some of them, it goes on.
    let newer = EncryptionProvider.keys(KeyRing(writing: Keys.two, reading: [Keys.one], ids: Keys.one))
    let pushes = device.network.pushes.count
    atom = try await device.atom("diary", encryption: newer)
    try await eventually { device.network.pushes.count >= pushes + 2 }
    device.kill()
    atom = try await device.atom("diary", encryption: newer)
    _ = try await atom.swap { $0["7"] = "edited meanwhile" }.confirmed()
    let old = try await oldestKeys(sync)
    #expect(old < 55)
    try await eventually { try await oldestKeys(sync) == 0 }
    try await sync.runUntilIdle()
    var expected = shown
    expected["7"] = "edited meanwhile"
    #expect(atom.contents == expected && atom.conflicts.isEmpty)
    #expect(other.contents == expected && other.conflicts.isEmpty)
    // Each was sealed anew once.
    #expect(try await sync.page("diary").documents.allSatisfy { $0.version <= 3 })
  }

  private func oldestKeys(_ sync: TestSync) async throws -> Int {
    let keys = try await sync.page("diary").documents.compactMap(\.content.payload?.keyID)
    let newest = try await sync.payload("7", in: "diary")?.keyID
    return keys.count { $0 != newest }
  }

  @Test func whoMayNotWriteSealsNothingAnew() async throws {
    let sync = try await TestSync()
    let device = sync.device()
    var atom = try await device.atom("diary", encryption: .key(Keys.one))
    _ = try await atom.swap { $0["a"] = "text" }.confirmed()
    device.kill()
    device.network.always(.forbidden, on: .push)
    atom = try await device.atom("diary", encryption: .keys(KeyRing(writing: Keys.two, reading: [Keys.one])))
    try? await atom.sync()
    #expect(atom.status.pendingCount == 0 && atom.value["a"] == "text")
  }

  @Test func aGroupThatWasNotEncryptedIsAdopted() async throws {
    let sync = try await TestSync()
    let plain = try await sync.device().atom("diary")
    try plain.swap { for number in 0..<20 { $0["\(number)"] = .int(Int64(number)) } }
    try await sync.runUntilIdle()
    let strict = try await sync.device().atom("diary", encryption: .key(Keys.one))
    try await strict.sync()
    #expect(strict.value.map(\.id).isEmpty && strict.unopened.count == 20)
    let adopting = EncryptionProvider.keys(KeyRing(writing: Keys.one), adoptingUnsealed: true)
    let atom = try await sync.device().atom("diary", encryption: adopting)
    try await atom.sync()
    #expect(atom.value.count == 20 && atom.unopened.isEmpty)
    try await eventually {
      try await sync.page("diary").documents.allSatisfy { $0.content.payload?.keyID != nil }
    }
    try await strict.sync()
    #expect(strict.contents == atom.contents)
  }

  @Test func anAtomIsOpenedAsBeforeOrNotAtAll() async throws {
    let sync = try await TestSync()
    let device = sync.device()
    func open(_ encryption: EncryptionProvider?) async throws -> SyncedAtom<TransitValue> {
      device.kill()
      return try await device.atom("diary", encryption: encryption)
    }
    _ = try await open(.key(Keys.one)).swap { $0["a"] = "text" }.saved()
    for wrong in [nil, EncryptionProvider.key(Keys.two), .key(Keys.one, ids: .hidden)] {
      let error = await #expect(throws: SyncError.self) { try await open(wrong) }
      #expect(error?.code == .encrypted)
    }
    #expect(try await open(.key(Keys.one)).value["a"] == "text")
    // What could not be fetched, and why.
    await #expect(throws: EncryptionKeyError.emptyPassphrase) {
      try await open(
        .keys { KeyRing(writing: try EncryptionKey(passphrase: "", salt: Array("12345678".utf8))) })
    }
  }

  @Test func aKeyShowsItselfNowhere() async throws {
    let key = try EncryptionKey(bytes: (0..<32).map { $0 + 65 })
    let encryption = try await EncryptionProvider.key(key).open(group: "diary")
    var dumped = ""
    dump((key, KeyRing(writing: key), EncryptionProvider.key(key), encryption), to: &dumped)
    #expect(dumped.contains("a cipher that seals by the key") && !dumped.contains("SymmetricKey"))
    for text in ["\(key)", String(reflecting: key), "\(KeyRing(writing: key))", "\(encryption)", dumped] {
      #expect(!text.contains("ABCDEF") && !text.contains(key.base64) && !text.contains("65"))
      #expect(!text.contains("4142"))
    }
  }

  @Test func keysAreReadFromText() throws {
    let key = Keys.key(0xAB)
    #expect(try EncryptionKey(text: key.base64 + "\n") == key)
    #expect(try EncryptionKey(text: String(repeating: "aB", count: 32)) == key)
    let ring = try KeyRing(text: "# newest first\n\(Keys.two.base64)\n\n\(Keys.one.base64) # the first\n")
    #expect(ring == KeyRing(writing: Keys.two, reading: [Keys.one], ids: Keys.one))
    // A key may begin with any digit of base64.
    let plus = try EncryptionKey(bytes: [0xF8] + [UInt8](repeating: 0, count: 31))
    #expect(plus.base64.first == "+")
    #expect(
      try KeyRing(text: "\(plus.base64)\n \(Keys.one.base64)\n  > \(Keys.two.base64)")
        == KeyRing(writing: plus, reading: [Keys.one], upcoming: [Keys.two], ids: Keys.one))
    for bad in ["", "secret", "AAAA", String(repeating: "g", count: 64)] {
      #expect(throws: EncryptionKeyError.self) { try EncryptionKey(text: bad) }
    }
    #expect(throws: EncryptionKeyError.noKey) { try KeyRing(text: "# nothing\n") }
    #expect(throws: EncryptionKeyError.wrongLength(31)) {
      try EncryptionKey(bytes: Array(repeating: 0, count: 31))
    }
    #expect(Set((0..<100).map { _ in EncryptionKey().base64 }).count == 100)
  }
}
