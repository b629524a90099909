import Atomsync
import AtomsyncCore
import AtomsyncTesting
import Testing
import Transit

@Suite(.timeLimit(.minutes(1))) struct StorageFailureTests {
  @Test func aFullDiskIsToldAndHealed() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    try await atom.settled()
    scene.disk.isFull = true
    let receipt = try atom.swap { $0["a"] = 1 }
    let error = await #expect(throws: SyncError.self) { try await receipt.saved() }
    #expect(error?.code == .storage)
    #expect(error?.storage?.code == .full)
    #expect(atom.value["a"] == 1)
    #expect(atom.status.lastStorageError != nil)
    #expect(atom.status.unsavedCount > 0)
    #expect(scene.network.pushes.isEmpty)  // nothing goes out that is not durable here
    scene.disk.isFull = false
    _ = try await receipt.confirmed()
    try await receipt.saved()
    try await atom.status { $0.lastStorageError == nil && $0.unsavedCount == 0 }
    #expect(try await scene.server() == ["a": 1])
  }

  @Test func aDiskThatStaysFullIsToldAtClose() async throws {
    let scene = try await Scene()
    let client = try await scene.client()
    let atom = try await client.atom("todo")
    let saved = try atom.swap { $0["a"] = 1 }
    try await saved.saved()
    scene.disk.isFull = true
    try atom.swap { $0["a"] = 2 }
    let error = await #expect(throws: SyncError.self) { try await client.close() }
    #expect(error?.storage?.code == .full)
    await #expect(throws: SyncError.self) { try await atom.receipt(saved.id).confirmed(timeout: .seconds(5)) }
    scene.disk.isFull = false
    #expect(try await scene.client().atom("todo").contents == ["a": 1])
  }

  /// The rows of the atom that was closed are still on their way to the disk.
  @Test func anAtomThatIsReopenedWhileTheDiskIsFull() async throws {
    let scene = try await Scene()
    let client = try await scene.client()
    let atom = try await client.atom("todo")
    scene.disk.isFull = true
    try atom.swap { $0["a"] = 1 }
    await atom.close()
    await #expect(throws: SyncError.self) { _ = try await client.atom("todo") }
    scene.disk.isFull = false
    var again: SyncedAtom<TransitValue>?
    try await eventually {
      again = try? await client.atom("todo")
      return again != nil
    }
    #expect(again?.contents == ["a": 1])
  }

  @Test func aPassingFailureIsTriedAgain() async throws {
    let scene = try await Scene()
    let atom = try await scene.client().atom("todo")
    scene.disk.plan(.fail(StorageError(.failed, "a cable came loose")))
    let receipt = try atom.swap { $0["a"] = 1 }
    await #expect(throws: SyncError.self) { try await receipt.saved() }
    try await receipt.saved()
    #expect(atom.status.lastStorageError == nil)
  }

  /// A receipt that outlived its swap, which was not durable when the process ended: nobody is told of another's.
  @Test func aReceiptOfALostSwapIsNotTakenForAnother() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    try await atom.settled()
    scene.disk.commitGate.shut()
    let lost = try atom.swap { $0["a"] = 1 }.id
    await scene.disk.commitGate.holds(1)
    scene.disk.crash()
    scene.disk.commitGate.open()
    let again = try await scene.atom()
    let before = await #expect(throws: SyncError.self) { try await again.receipt(lost).saved() }
    #expect(before?.code == .unsettled)
    let other = try again.swap { $0["a"] = 2 }
    #expect(try await other.confirmed().isAccepted)
    for wait in [
      { try await again.receipt(lost).saved() }, { _ = try await again.receipt(lost).confirmed() },
    ] as [@Sendable () async throws -> Void] {
      let error = await #expect(throws: SyncError.self) { try await wait() }
      #expect(error?.code == .unsettled)
    }
    try await again.receipt(other.id).saved()
  }

  /// The client closes although the task that asks for it is cancelled: what was swapped is saved, the store let go.
  @Test func closingGoesOnWhenItsTaskIsCancelled() async throws {
    let scene = try await Scene()
    let client = try await scene.client()
    let atom = try await scene.atom(of: client)
    scene.disk.commitGate.shut()
    try atom.swap { $0["a"] = 1 }
    await scene.disk.commitGate.holds(1)
    let closing = Task { try await client.close() }
    closing.cancel()
    await #expect(throws: CancellationError.self) { try await closing.value }
    scene.disk.commitGate.open()
    try await client.close()
    #expect(try await scene.client().atom("todo").contents == ["a": 1])
  }

  /// Somebody has closed the storage under the atom: nothing can be saved any more, and the atom says so.
  @Test func aStoreThatIsGoneStopsTheAtom() async throws {
    let scene = try await Scene()
    let client = try await scene.client()
    let atom = try await scene.atom(of: client)
    _ = try await atom.swap { $0["a"] = 1 }.confirmed()
    try await atom.settled()
    scene.disk.plan(.fail(.closed))
    let receipt = try atom.swap { $0["a"] = 2 }
    let error = await #expect(throws: SyncError.self) { try await receipt.saved() }
    #expect(error?.storage?.code == .closed)
    try await atom.status { $0.connection == .stopped(.storeLost) && $0.lastStorageError != nil }
    let refusal = #expect(throws: SyncError.self) { try atom.swap { $0["a"] = 3 } }
    #expect(refusal?.code == .stopped)
    #expect(atom.contents == ["a": 2], "what was shown is still shown")
    await #expect(throws: SyncError.self) { try await atom.receipt(receipt.id).confirmed() }
    await #expect(throws: SyncError.self) { try await client.close() }
    #expect(try await scene.client().atom("todo").contents == ["a": 1])
  }

  /// Another atom of the client has found out that the store is gone.
  @Test func everyAtomIsToldThatTheStoreIsGone() async throws {
    let scene = try await Scene()
    let client = try await scene.client()
    let (first, second) = (try await scene.atom(of: client), try await client.atom("other"))
    scene.disk.plan(.fail(.closed))
    let lost = try first.swap { $0["a"] = 1 }
    await #expect(throws: SyncError.self) { try await lost.saved() }
    let receipt = try second.swap { $0["b"] = 1 }
    let error = await #expect(throws: SyncError.self) { try await receipt.confirmed() }
    #expect(error?.storage?.code == .closed || error?.code == .stopped)
    try await second.status { $0.connection == .stopped(.storeLost) }
  }

  @Test func aStoreThatCannotBeReadIsNotOpened() async throws {
    let scene = try await Scene()
    let client = try await scene.client()
    scene.disk.failReads(1)
    await #expect(throws: StorageError.self) { _ = try await client.atom("todo") }
    let atom = try await client.atom("todo")
    #expect(atom.value.isEmpty)
  }

  /// Crashes at each commit of a small history, in each way: what was told to be durable is there afterwards, it
  /// reaches the server, and nobody's write is taken twice.
  @Test(arguments: [FaultyStorage.Crash.before, .torn(applied: 1), .after])
  func crashesAtEveryCommit(crash: FaultyStorage.Crash) async throws {
    for commit in 0..<12 {
      let scene = try await Scene()
      let client = try await scene.client()
      let atom = try await scene.atom(of: client)
      scene.disk.plan(.crash(crash), afterCommits: commit)
      var durable: [String: TransitValue] = [:]
      var number = 0
      while !scene.disk.hasCrashed {
        number += 1
        let value = TransitValue.int(Int64(number))
        let id = "d\(number % 3)"
        let receipt = try atom.swap { $0[id] = value }
        do {
          try await receipt.saved()
          durable[id] = value
        } catch { break }
      }
      // The process is gone: its handle is dead, and nothing of it writes any more.
      let restarted = try await scene.atom()
      await atom.close()
      for (id, value) in durable {
        #expect(try amount(restarted.value[id]) >= amount(value), "commit \(commit)")
      }
      try await restarted.settled()
      #expect(try await scene.server() == restarted.contents)
      #expect(restarted.conflicts.isEmpty)
    }
  }

  private func amount(_ value: TransitValue?) throws -> Int {
    guard case .int(let number) = value else { return -1 }
    return Int(number)
  }
}
