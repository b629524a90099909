import Atomsync
import AtomsyncCore
import AtomsyncEncryption
import AtomsyncTesting
import Testing
import Transit

/// What a server sees, and what devices with the key see.
@Suite(.timeLimit(.minutes(1))) struct SealingTests {
  @Test(arguments: [EncryptionProvider.DocumentIDs.readable, .hidden])
  func devicesWithTheKeySeeWhatTheServerDoesNot(ids: EncryptionProvider.DocumentIDs) async throws {
    let sync = try await TestSync()
    let encryption = EncryptionProvider.key(Keys.one, ids: ids)
    let one = try await sync.device().atom("diary", encryption: encryption)
    let two = try await sync.device().atom("diary", encryption: encryption)
    try one.swap {
      $0["monday"] = ["text": "rain", "tags": .set([.keyword("dull")])]
      $0["tuesday"] = "sun"
    }
    try await sync.runUntilIdle()
    #expect(two.contents == one.contents && two.value.count == 2)
    for document in try await sync.page("diary").documents {
      #expect(document.content.payload?.keyID != nil)
      #expect(ids == .hidden ? document.id.count == 22 : ["monday", "tuesday"].contains(document.id))
    }
    try two.swap {
      $0["tuesday"] = nil
      $0["monday"] = "snow"
    }
    try await sync.runUntilIdle()
    #expect(one.contents == ["monday": "snow"])
    #expect(one.status.unopenedCount == 0 && two.status.unopenedCount == 0)
  }

  @Test func equalValuesLookDifferentAndLengthsComeInSteps() async throws {
    let sync = try await TestSync()
    let atom = try await sync.device().atom("diary", encryption: .key(Keys.one))
    try atom.swap {
      for length in 1...40 { $0["\(length)"] = .string(String(repeating: "x", count: length)) }
    }
    try atom.swap { $0["again"] = "x" }
    try await sync.runUntilIdle()
    let payloads = try await sync.page("diary").documents.compactMap(\.content.payload)
    #expect(Set(payloads).count == 41)
    #expect(Set(payloads.map(\.bytes.count)).count <= 3)
  }

  /// What is sent again, by another process as well, is the same message: or else the server would take it for another.
  @Test func aPushWhoseAnswerWasLostIsSentAgainAsItWas() async throws {
    let sync = try await TestSync()
    let device = sync.device()
    var atom = try await device.atom("diary", encryption: .key(Keys.one))
    try await atom.sync()
    device.network.always(.dropAnswer, on: .push)
    try await atom.swap { $0["a"] = "once" }.saved()
    try await eventually { device.network.pushes.count >= 2 }
    device.kill()
    device.network.always(nil, on: .push)
    atom = try await device.atom("diary", encryption: .key(Keys.one))
    try await sync.runUntilIdle()
    let pushes = device.network.pushes.filter { $0.ticket == device.network.pushes[0].ticket }
    #expect(pushes.count >= 3 && Set(pushes.map(\.edits)).count == 1)
    #expect(try await sync.page("diary").documents.map(\.version) == [1])
    #expect(atom.value["a"] == "once" && atom.conflicts.isEmpty)
  }

  @Test func mergesSeePlaintext() async throws {
    let sync = try await TestSync()
    let (first, second) = (sync.device(), sync.device())
    let union = ConflictPolicy.merge { input in
      .string("\(input.remote?.stringValue ?? "-")+\(input.local?.stringValue ?? "-")")
    }
    let one = try await first.atom("diary", conflicts: union, encryption: .key(Keys.one))
    let two = try await second.atom("diary", conflicts: union, encryption: .key(Keys.one))
    second.network.isOnline = false
    try two.swap { $0["a"] = "two" }
    _ = try await one.swap { $0["a"] = "one" }.confirmed()
    second.network.isOnline = true
    try await sync.runUntilIdle()
    #expect(one.value["a"] == "one+two" && two.value["a"] == "one+two")
    #expect(two.conflicts.first?.outcome == .merged)
  }
}

extension TransitValue {
  fileprivate var stringValue: String? { if case .string(let text) = self { text } else { nil } }
}
