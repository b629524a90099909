import Atomsync
import AtomsyncCore
import AtomsyncEncryption
import AtomsyncTesting
import Testing
import Transit

/// What a hostile reader of the code came upon.
@Suite(.timeLimit(.minutes(2))) struct LossTests {
  private typealias Atom = SyncedAtom<TransitValue>

  private func rotated(_ ids: EncryptionProvider.DocumentIDs = .readable, ids key: EncryptionKey? = nil)
    -> EncryptionProvider
  {
    .keys(KeyRing(writing: Keys.two, reading: [Keys.one], ids: key), ids: ids, local: true)
  }

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
    expectAll(try await device.atom("diary", encryption: rotated()))
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

/// What a server tried that lies more cleverly.
@Suite(.timeLimit(.minutes(1))) struct CunningTests {
  @Test func whatWasReplayedStaysSoWhenItIsReadAgain() async throws {
    let sync = try await TestSync()
    let atom = try await sync.device().atom("diary", encryption: .key(Keys.one))
    _ = try await atom.swap { $0["a"] = "first" }.confirmed()
    let first = try #require(try await sync.payload("a", in: "diary"))
    _ = try await atom.swap { $0["a"] = "second" }.confirmed()
    try await sync.write(first, as: "a", in: "diary")
    try await sync.runUntilIdle()
    #expect(atom.unopened == ["a": .replayed])
    for _ in 0..<3 {
      atom.resync()
      try await sync.runUntilIdle()
      #expect(atom.unopened == ["a": .replayed])
    }
  }

  /// A reset to nothing, or a right that is taken and given back, does not make an old value a new one.
  @Test func whatWasForgottenIsNotBelievedAgain() async throws {
    let sync = try await TestSync()
    let device = sync.device()
    var atom = try await device.atom("diary", encryption: .key(Keys.one))
    _ = try await atom.swap { $0["a"] = "first" }.confirmed()
    let first = try #require(try await sync.payload("a", in: "diary"))
    _ = try await atom.swap { $0["a"] = "second" }.confirmed()
    _ = try await atom.swap { $0["a"] = nil }.confirmed()
    // Read again from the beginning, it is not named.
    atom.resync()
    try await sync.runUntilIdle()
    device.kill()
    atom = try await device.atom("diary", encryption: .key(Keys.one))
    try await sync.write(first, as: "a", in: "diary")
    try await sync.runUntilIdle()
    #expect(atom.unopened == ["a": .replayed])
  }

  @Test func aVersionThatCannotBeIsNotAccepted() async throws {
    for version in [0, 1, 7, Int64.max] {
      let authority = try await Authority.open(AtomsyncConfiguration())
      let lie = Lock(false)
      let transport = TransportProvider("a liar") { _ in
        LyingTransport(base: LoopbackTransport(authority)) { answer in
          guard lie.withLock({ $0 }) else { return }
          for index in answer.accepted.indices { answer.accepted[index].version = version }
        }
      }
      let client = try await AtomsyncClient.open(AtomsyncConfiguration())
      let atom = try await client.atom("diary", transport: transport, encryption: .key(Keys.one))
      _ = try await atom.swap { $0["a"] = "first" }.confirmed()
      lie.withLock { $0 = true }
      let receipt = try atom.swap { $0["a"] = "second" }
      await #expect(throws: SyncError.self) { try await receipt.confirmed(timeout: .milliseconds(200)) }
      #expect(atom.value["a"] == "second" && atom.status.pendingCount == 1)
      lie.withLock { $0 = false }
      atom.resume()
      #expect(try await receipt.confirmed(timeout: .seconds(20)).isAccepted)
      #expect(atom.value["a"] == "second")
      try await client.close()
    }
  }
}

/// Answers pushes as somebody has it.
private struct LyingTransport: Transport {
  let base: any Transport
  let change: @Sendable (inout PushAnswer) -> Void

  func pull(_ request: PullRequest, progress: @escaping @Sendable () -> Void) async throws -> PullPage {
    try await base.pull(request, progress: progress)
  }

  func push(_ request: PushRequest, progress: @escaping @Sendable () -> Void) async throws -> PushAnswer {
    var answer = try await base.push(request, progress: progress)
    change(&answer)
    return answer
  }

  func live(_ request: LiveRequest, receive: @escaping @Sendable (LiveEvent) async throws -> Void)
    async throws
  {
    try await base.live(request, receive: receive)
  }

  func close() async { await base.close() }
}
