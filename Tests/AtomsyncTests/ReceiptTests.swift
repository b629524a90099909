import AtomsyncCore
import AtomsyncTesting
import Testing
import Transit

@testable import Atomsync
@testable import AtomsyncEngine

@Suite(.timeLimit(.minutes(1))) struct ReceiptTests {
  @Test func savedWaitsForTheDisk() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    try await atom.settled()
    scene.disk.commitGate.shut()
    let receipt = try atom.swap { $0["a"] = 1 }
    await scene.disk.commitGate.holds(1)
    let error = await #expect(throws: SyncError.self) { try await receipt.saved(timeout: .milliseconds(1)) }
    #expect(error?.code == .timedOut)
    #expect(atom.status.unsavedCount == 1)
    scene.disk.commitGate.open()
    try await receipt.saved()
    #expect(atom.status.unsavedCount < 3)
  }

  /// Waits that begin while a commit is being reported are told, too.
  @Test func everyWaitForADurableSwapEnds() async throws {
    let atom = try await Scene().client().atom("todo")
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<200 {
        group.addTask {
          try await atom.swap { $0["\(number % 8)"] = .int(Int64(number)) }.saved(timeout: nil)
        }
      }
      try await group.waitForAll()
    }
    #expect(atom.status.unsavedCount == 0)
  }

  /// Or a verdict that was told could be forgotten by a crash.
  @Test func confirmedWaitsForTheVerdictToBeDurable() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    try await atom.settled()
    let answer = Delay()
    scene.network.plan(.delayAnswer(answer), on: .push)
    let receipt = try atom.swap { $0["a"] = 1 }
    try await answer.reached()
    let isTold = Lock(false)
    let told = Task {
      let confirmation = try await receipt.confirmed()
      isTold.withLock { $0 = true }
      return confirmation
    }
    try await eventually { atom.replica.state.withLock { $0.confirmations.count } == 1 }
    scene.disk.commitGate.shut()
    answer.release()
    await scene.disk.commitGate.holds(1)
    for _ in 0..<1000 { await Task.yield() }
    #expect(isTold.withLock { $0 } == false)
    scene.disk.commitGate.open()
    #expect(try await told.value.isAccepted)
  }

  @Test func confirmedWaitsForTheServer() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    scene.network.isOnline = false
    let receipt = try atom.swap { $0["a"] = 1 }
    try await receipt.saved()
    let error = await #expect(throws: SyncError.self) {
      try await receipt.confirmed(timeout: .milliseconds(1))
    }
    #expect(error?.code == .timedOut)
    scene.network.isOnline = true
    #expect(try await receipt.confirmed().verdicts == ["a": .accepted(version: 1)])
    // Whoever asks later is told from the store.
    #expect(try await receipt.confirmed().verdicts == ["a": .accepted(version: 1)])
  }

  @Test func waitingEndsWithTheWaitingTask() async throws {
    let scene = try await Scene()
    scene.network.isOnline = false
    let atom = try await scene.atom()
    let receipt = try atom.swap { $0["a"] = 1 }
    let waiting = Task { _ = try await receipt.confirmed() }
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    let syncing = Task { try await atom.sync() }
    syncing.cancel()
    await #expect(throws: (any Error).self) { try await syncing.value }
  }

  @Test func aReceiptIsGoodAfterARestart() async throws {
    let scene = try await Scene()
    scene.network.isOnline = false
    let client = try await scene.client()
    let atom = try await scene.atom(of: client)
    let receipt = try atom.swap { $0["a"] = 1 }
    try await client.close()
    scene.network.isOnline = true
    let again = try await scene.atom()
    let same = again.receipt(receipt.id)
    try await same.saved()
    #expect(try await same.confirmed().verdicts == ["a": .accepted(version: 1)])
    let third = try await scene.atom()
    #expect(try await third.receipt(receipt.id).confirmed().verdicts == ["a": .accepted(version: 1)])
  }

  @Test func aReceiptByIDIsSavedOnlyOnceItIsDurable() async throws {
    let scene = try await Scene()
    let atom = try await scene.client().atom("todo")
    scene.disk.commitGate.shut()
    let receipt = try atom.swap { $0["a"] = 1 }
    let same = atom.receipt(receipt.id)
    let error = await #expect(throws: SyncError.self) { try await same.saved(timeout: .milliseconds(1)) }
    #expect(error?.code == .timedOut)
    scene.disk.commitGate.open()
    try await same.saved()
  }

  @Test func afterARejection() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    let big = TransitValue.string(String(repeating: "x", count: 2 << 20))
    let receipt = try atom.swap { $0["a"] = big }
    #expect(try await receipt.confirmed().verdicts == ["a": .rejected(reason: "too-large")])
  }

  @Test func afterAConflict() async throws {
    let scene = try await Scene()
    let (atom, other) = (try await scene.atom(), try await scene.other())
    try await atom.settled()
    atom.pause()
    let receipt = try atom.swap { $0["a"] = "mine" }
    _ = try await other.swap { $0["a"] = "theirs" }.confirmed()
    atom.resume()
    let verdict = try await receipt.confirmed().verdicts["a"]
    let conflict = try #require(atom.conflicts.first)
    #expect(verdict == .superseded(conflict: conflict.id))
  }

  @Test func anUnknownReceiptIsUnsettled() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    let receipt = try atom.swap { $0["a"] = 1 }
    _ = try await receipt.confirmed()
    let elsewhere = try await scene.other()
    try await elsewhere.settled()
    let error = await #expect(throws: SyncError.self) {
      try await elsewhere.receipt(receipt.id).confirmed()
    }
    #expect(error?.code == .unsettled)
  }

  @Test func closingEndsTheWait() async throws {
    let scene = try await Scene()
    scene.network.isOnline = false
    let atom = try await scene.atom()
    let receipt = try atom.swap { $0["a"] = 1 }
    let waiting = Task { try await receipt.confirmed() }
    try await receipt.saved()
    await atom.close()
    let error = await #expect(throws: SyncError.self) { try await waiting.value }
    #expect(error?.code == .stopped)
    let late = await #expect(throws: SyncError.self) { try await receipt.confirmed() }
    #expect(late?.code == .stopped)
    await #expect(throws: SyncError.self) { try await atom.sync() }
  }

  @Test func verdictsAndConflictsExpire() async throws {
    let clock = ManualClock()
    let scene = try await Scene { $0.follow(clock) }
    let client = try await scene.client()
    let atom = try await scene.atom(of: client)
    let other = try await scene.other()
    try await atom.settled()
    let accepted = try atom.swap { $0["b"] = 1 }
    _ = try await accepted.confirmed()
    atom.pause()
    let superseded = try atom.swap { $0["a"] = "mine" }
    _ = try await other.swap { $0["a"] = "theirs" }.confirmed()
    atom.resume()
    _ = try await superseded.confirmed()
    try await client.close()
    /// Opens the atom after some time, as its application does.
    func reopened(after time: Duration) async throws -> (AtomsyncClient, SyncedAtom<TransitValue>) {
      clock.advance(by: time)
      let client = try await scene.client()
      return (client, try await client.atom("todo"))
    }
    // A clock that is years ahead for a while makes nothing older than a day.
    for time in [Duration.seconds(3600 * 24 * 3650)] + Array(repeating: .seconds(3600 * 24), count: 27) {
      try await reopened(after: time).0.close()
    }
    let (before, kept) = try await reopened(after: .seconds(3600 * 24))
    #expect(kept.conflicts.count == 1)
    #expect(try await kept.receipt(accepted.id).confirmed().isAccepted)
    try await before.close()
    try await reopened(after: .seconds(3600 * 24)).0.close()
    let (_, after) = try await reopened(after: .seconds(3600 * 24))
    #expect(after.conflicts.isEmpty)
    try await eventually {
      do {
        _ = try await after.receipt(accepted.id).confirmed()
        return false
      } catch { return (error as? SyncError)?.code == .unsettled }
    }
    #expect(after.contents == ["a": "theirs", "b": 1])
  }
}
