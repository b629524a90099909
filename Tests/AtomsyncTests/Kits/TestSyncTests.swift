import Atomsync
import AtomsyncTesting
import Testing
import Transit

@Suite(.timeLimit(.minutes(1))) struct TestSyncTests {
  private struct Todo: Codable, Equatable { var text: String }

  @Test func whatOneDeviceWritesTheOtherHas() async throws {
    let sync = try await TestSync()
    let (phone, laptop) = (sync.device(), sync.device())
    let todos = try await phone.atom("todo", of: Todo.self)
    phone.network.isOnline = false
    try todos.swap { $0["a"] = Todo(text: "milk") }
    let others = try await laptop.atom("todo", of: Todo.self)
    try await sync.runUntilIdle()
    #expect(others.value["a"] == nil)
    phone.network.isOnline = true
    try await sync.runUntilIdle()
    #expect(others.value["a"]?.text == "milk")
    try await sync.expectConverged()
  }

  @Test func whatWasDurableOutlivesTheProcess() async throws {
    let sync = try await TestSync()
    let device = sync.device()
    device.network.isOnline = false
    let todos = try await device.atom("todo")
    try await todos.swap { $0["a"] = "milk" }.saved()
    device.kill()
    device.network.isOnline = true
    let again = try await device.atom("todo")
    #expect(again.value["a"] == "milk")
    try await sync.runUntilIdle()
    #expect(try await sync.documents("todo") == ["a": "milk"])
  }

  /// Both opening and killing are one step each, however many tasks ask.
  @Test func aDeviceStartsOnce() async throws {
    let sync = try await TestSync()
    let device = sync.device()
    async let first = device.atom("one")
    async let second = device.atom("two")
    for atom in [try await first, try await second] { try await atom.swap { $0["a"] = 1 }.saved() }
    try await sync.runUntilIdle()
    for group in ["one", "two"] { #expect(try await sync.documents(group).count == 1) }
  }

  @Test func whatWasKilledReachesNobody() async throws {
    let sync = try await TestSync()
    let device = sync.device()
    let atom = try await device.atom("g")
    try await sync.runUntilIdle()
    device.kill()
    try atom.swap { $0["a"] = 1 }
    await #expect(throws: (any Error).self) { try await atom.sync(timeout: .seconds(5)) }
    #expect(try await sync.documents("g").isEmpty)
    #expect(try await device.atom("g").value.isEmpty)
  }

  /// Also under a clock that nobody moves.
  @Test func whatNeverComesToRestIsTold() async throws {
    let sync = try await TestSync { $0.follow(ManualClock()) }
    let device = sync.device()
    let atom = try await device.atom("g")
    device.network.always(.unavailable, on: .push)
    try atom.swap { $0["a"] = 1 }
    let error = await #expect(throws: SyncError.self) {
      try await sync.runUntilIdle(timeout: .seconds(5))
    }
    #expect(error?.code == .timedOut && error?.message.contains("503") == true, "\(error?.message ?? "")")
  }

  @Test func idlenessIncludesWhatAMergeWrites() async throws {
    let sync = try await TestSync()
    // The larger one, so that merging once more changes nothing.
    let merge = ConflictPolicy.merge { [$0.local, $0.remote].contains(1) ? 1 : 0 }
    let atoms = [try await sync.atom("g", conflicts: merge), try await sync.atom("g", conflicts: merge)]
    for (number, atom) in atoms.enumerated() { try atom.swap { $0["a"] = .int(Int64(number)) } }
    try await sync.runUntilIdle()
    try await sync.expectConverged()
    #expect(atoms.allSatisfy { $0.status.pendingCount == 0 && $0.value["a"] == 1 })
  }

  @Test func aDifferenceIsTold() async throws {
    let sync = try await TestSync()
    let atom = try await sync.atom("g")
    try await sync.runUntilIdle()
    atom.pause()
    try atom.swap { $0["a"] = 1 }
    let failure = await #expect(throws: ConvergenceFailure.self) { try await sync.expectConverged() }
    #expect(failure?.description == "1 documents of g differ from the server's. a is 1 and should be absent.")
  }
}
