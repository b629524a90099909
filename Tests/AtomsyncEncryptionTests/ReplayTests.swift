import Atomsync
import AtomsyncCore
import AtomsyncEncryption
import AtomsyncTesting
import Testing
import Transit

/// What was shown before is not believed later, and what cannot be is not believed at all.
@Suite(.timeLimit(.minutes(1))) struct ReplayTests {
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

  /// Also when it is met while everything is read anew, and nobody was there when it was shown first.
  @Test func anOlderValueIsNoticedAmongAllOthers() async throws {
    let sync = try await TestSync()
    let device = sync.device()
    var atom = try await device.atom("diary", encryption: .key(Keys.one))
    _ = try await atom.swap { $0["a"] = "first" }.confirmed()
    let first = try #require(try await sync.payload("a", in: "diary"))
    device.kill()
    let other = try await sync.device().atom("diary", encryption: .key(Keys.one))
    try await sync.runUntilIdle()
    _ = try await other.swap { $0["a"] = "second" }.confirmed()
    try await sync.write(first, as: "a", in: "diary")
    device.network.isOnline = false
    atom = try await device.atom("diary", encryption: .key(Keys.one))
    atom.resync()
    device.network.isOnline = true
    try await sync.runUntilIdle()
    #expect(atom.unopened == ["a": .replayed])
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
