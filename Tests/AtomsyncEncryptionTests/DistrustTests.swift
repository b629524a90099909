import Atomsync
import AtomsyncCore
import AtomsyncEncryption
import AtomsyncTesting
import Foundation
import Testing
import Transit

/// What becomes of values that no honest device has written.
@Suite(.timeLimit(.minutes(1))) struct DistrustTests {
  private let sync: TestSync
  private let atom: SyncedAtom<TransitValue>

  init() async throws {
    sync = try await TestSync()
    atom = try await sync.device().atom("diary", encryption: .key(Keys.one))
    try atom.swap {
      $0["a"] = "first"
      $0["b"] = "other"
    }
    try await sync.runUntilIdle()
  }

  private func payload(_ id: String) async throws -> Payload {
    try #require(try await sync.payload(id, in: "diary"))
  }

  /// A digit of the key's name, of the nonce, of the ciphertext.
  @Test(arguments: [(1, 3), (2, 3), (2, 40)]) func aDamagedValueIsNotShown(part: Int, digit: Int) async throws
  {
    try await sync.write(try await payload("a").damaged(part: part, at: digit), as: "a", in: "diary")
    try await sync.runUntilIdle()
    #expect(atom.value["a"] == nil && atom.value.contains("a"))
    #expect(atom.unopened == ["a": part == 1 ? .unknownKey : .damaged])
    #expect(atom.status.unopenedCount == 1 && atom.value["b"] == "other")
  }

  @Test func aValueOfAnotherDocumentOrGroupIsNotShown() async throws {
    try await sync.write(try await payload("b"), as: "a", in: "diary")
    let elsewhere = try await sync.device().atom("shared", encryption: .key(Keys.one))
    try await sync.write(try await payload("b"), as: "b", in: "shared")
    try await sync.runUntilIdle()
    #expect(atom.unopened == ["a": .damaged])
    // Each group has keys of its own, so here not even the key is known.
    #expect(elsewhere.unopened == ["b": .unknownKey])
  }

  @Test func aValueThatWasNeverSealedIsNotShownAndTheLastGenuineOneIsKept() async throws {
    try await sync.write(try Payload("made up"), as: "a", in: "diary")
    try await sync.runUntilIdle()
    #expect(atom.unopened == ["a": .unsealed] && atom.value["a"] == nil)
    let conflict = try #require(atom.conflicts.last)
    #expect(conflict.outcome == .rolledBack && conflict.local == "first" && conflict.document == "a")
    _ = try await atom.recover(conflict).confirmed()
    try await sync.runUntilIdle()
    #expect(atom.value["a"] == "first" && atom.unopened.isEmpty)
  }

  @Test func anOlderValueIsNoticed() async throws {
    let first = try await payload("a")
    _ = try await atom.swap { $0["a"] = "second" }.confirmed()
    let second = try await payload("a")
    _ = try await atom.swap { $0["a"] = "third" }.confirmed()
    for old in [second, first] {
      try await sync.write(old, as: "a", in: "diary")
      try await sync.runUntilIdle()
      #expect(atom.unopened == ["a": .replayed])
    }
    #expect(atom.conflicts.contains { $0.outcome == .rolledBack && $0.local == "third" })
    // A device that was never told better believes what creates a document, and nothing that names its ground.
    let late = try await sync.device().atom("diary", encryption: .key(Keys.one))
    try await sync.write(second, as: "a", in: "diary")
    try await sync.runUntilIdle()
    #expect(late.unopened == ["a": .replayed])
  }

  @Test func aDeletedDocumentDoesNotComeBack() async throws {
    let first = try await payload("a")
    let device = sync.device()
    var other = try await device.atom("diary", encryption: .key(Keys.one))
    try await sync.runUntilIdle()
    _ = try await atom.swap { $0["a"] = nil }.confirmed()
    try await sync.runUntilIdle()
    // Nor after a restart.
    device.kill()
    other = try await device.atom("diary", encryption: .key(Keys.one))
    try await sync.write(first, as: "a", in: "diary")
    try await sync.runUntilIdle()
    #expect(other.unopened == ["a": .replayed] && atom.unopened == ["a": .replayed])
    // Who really creates it again is believed.
    _ = try await atom.swap { $0.remove("a") }.confirmed()
    _ = try await atom.swap { $0["a"] = "first" }.confirmed()
    try await sync.runUntilIdle()
    #expect(other.value["a"] == "first" && other.unopened.isEmpty)
  }

  @Test func aForgedValueTakesThePlaceOfNoEdit() async throws {
    let device = sync.device()
    let other = try await device.atom("diary", encryption: .key(Keys.one))
    try await sync.runUntilIdle()
    device.network.isOnline = false
    let receipt = try other.swap { $0["a"] = "mine" }
    try await sync.write(try Payload("made up"), as: "a", in: "diary")
    device.network.isOnline = true
    #expect(try await receipt.confirmed().isAccepted)
    try await sync.runUntilIdle()
    #expect(other.value["a"] == "mine" && atom.value["a"] == "mine")
  }

  @Test func whatCannotBeOpenedIsNeitherWrittenOverNorCopied() async throws {
    try await sync.write(try Payload("made up"), as: "a", in: "diary")
    try await sync.runUntilIdle()
    #expect(throws: SyncError.self) { try atom.swap { $0["a"] = "new" } }
    #expect(throws: SyncError.self) { try atom.swap { $0.copy("a", to: "c") } }
    let raw = try #require(atom.value.transit("a"))
    #expect(throws: SyncError.self) { try atom.swap { $0["c"] = raw } }
    _ = try await atom.swap { $0.remove("a") }.confirmed()
    try await sync.runUntilIdle()
    #expect(try await sync.payload("a", in: "diary") == nil && atom.unopened.isEmpty)
  }

  /// A store that was put back is honest, and shows older values all the same: they are shown, and said to be older.
  @Test func aServerThatWasPutBackIsReported() async throws {
    let before = try await sync.page("diary")
    _ = try await atom.swap { $0["a"] = "second" }.confirmed()
    await atom.close()
    // Another server, with what there was before.
    let restored = try await TestSync()
    for document in before.documents {
      guard let payload = document.content.payload else { continue }
      try await restored.write(payload, as: document.id, in: "diary")
    }
    let client = try await AtomsyncClient.open(AtomsyncConfiguration())
    let follower = try await client.atom(
      "diary", transport: .loopback(sync.authority), encryption: .key(Keys.one))
    try await follower.sync()
    await follower.close()
    let again = try await client.atom(
      "diary", transport: .loopback(restored.authority), encryption: .key(Keys.one))
    try await again.sync()
    #expect(again.value["a"] == "first")
    let conflict = try #require(again.conflicts.last)
    #expect(conflict.outcome == .rolledBack && conflict.local == "second" && conflict.remote == "first")
    try await client.close()
  }

  @Test func hostileValuesDoNoHarm() async throws {
    var random = SeededRandom(seed: 7)
    let genuine = try await payload("a")
    var values: [TransitValue] = [
      .tagged("sealed", .null), .tagged("sealed", .array([])), .tagged("sealed", .array([1, 2, 3, 4])),
      .tagged("sealed", .array([.int(2), .string(""), .string("")])),
      .tagged("sealed", .array([.int(1), .string("0000000000000000"), .string("")])),
      .tagged("unopened", .array([.keyword("damaged"), .null, .bytes([])])),
    ]
    for _ in 0..<40 {
      guard case .tagged(let tagged) = genuine.value, case .array(var parts) = tagged.rep else { break }
      let bytes = (0..<Int.random(in: 0...60, using: &random)).map { _ in
        UInt8.random(in: 0...255, using: &random)
      }
      parts[2] = .string(
        random.oneIn(2) ? Data(bytes).base64EncodedString() : String(decoding: bytes, as: UTF8.self))
      values.append(.tagged("sealed", .array(parts)))
    }
    for value in values { try await sync.write(try Payload(value), as: "a", in: "diary") }
    for (index, value) in values.enumerated() {
      try await sync.write(try Payload(value), as: "x\(index)", in: "diary")
    }
    try await sync.runUntilIdle()
    #expect(atom.value["b"] == "other" && atom.unopened.count == values.count + 1)
    #expect(atom.value.map(\.id) == ["b"])
  }
}
