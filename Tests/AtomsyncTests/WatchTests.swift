import Atomsync
import AtomsyncCore
import AtomsyncTesting
import Observation
import Testing
import Transit

@Suite(.timeLimit(.minutes(1))) struct WatchTests {
  @Test func changesBeginWithTheNextOne() async throws {
    let atom = try await Scene().client().atom("todo")
    try atom.swap { $0["a"] = 1 }
    let changes = atom.changes
    try atom.swap { $0["b"] = 2 }
    for await change in changes {
      #expect(change.ids == ["b"])
      #expect(change.old["b"] == nil && change.old["a"] == 1)
      #expect(change.new["b"] == 2)
      break
    }
  }

  @Test func valuesBeginWithTheCurrentOne() async throws {
    let atom = try await Scene().client().atom("todo")
    try atom.swap { $0["a"] = 1 }
    var seen: [TransitValue?] = []
    for await value in atom.values {
      seen.append(value["a"])
      if seen.count == 3 { break }
      let next = Int64(seen.count + 1)
      try atom.swap { $0["a"] = .int(next) }
    }
    #expect(seen == [1, 2, 3])
  }

  @Test func everyChangeIsAnElement() async throws {
    let atom = try await Scene().client().atom("todo")
    var changes = atom.changes.makeAsyncIterator()
    for number in 1...100 { try atom.swap { $0["d\(number % 3)"] = .int(Int64(number)) } }
    for number in 1...100 {
      let change = try #require(await changes.next())
      #expect(change.ids == ["d\(number % 3)"] && change.new["d\(number % 3)"] == .int(Int64(number)))
    }
  }

  /// A watcher of values that is busy misses states in between, never the last one.
  @Test func whatComesMeanwhileIsOneValue() async throws {
    let atom = try await Scene().client().atom("todo")
    var values = atom.values.makeAsyncIterator()
    for number in 1...100 { try atom.swap { $0["a"] = .int(Int64(number)) } }
    #expect(await values.next()?["a"] == 100)
    try atom.swap { $0["a"] = 101 }
    #expect(await values.next()?["a"] == 101)
  }

  @Test func sequencesEndWithTheAtom() async throws {
    let atom = try await Scene().client().atom("todo")
    let (changes, values, statuses, conflicts) = (
      atom.changes, atom.values, atom.statuses, atom.conflictUpdates
    )
    try atom.swap { $0["a"] = 1 }
    await atom.close()
    var count = 0
    for await _ in changes { count += 1 }
    #expect(count == 1)
    for await value in values { #expect(value["a"] == 1) }
    var last: SyncStatus?
    for await status in statuses { last = status }
    #expect(last?.connection == .stopped(.closed))
    for await _ in conflicts { Issue.record("There was no conflict.") }
    // Those that are asked for too late end at once.
    for await _ in atom.changes { Issue.record("Nothing changes any more.") }
    var late = 0
    for await _ in atom.values { late += 1 }
    for await _ in atom.statuses { late += 1 }
    for await _ in atom.conflictUpdates { late += 1 }
    #expect(late == 2)
  }

  @Test func cancellationEndsAWatch() async throws {
    let atom = try await Scene().client().atom("todo")
    let statuses = Task { for await _ in atom.statuses {} }
    let changes = Task { for await _ in atom.changes {} }
    let watch = atom.watch { _ in }
    for task in [statuses, changes, watch] {
      task.cancel()
      await task.value
    }
  }

  @Test func watchCallsWithEveryChange() async throws {
    let atom = try await Scene().client().atom("todo")
    let (seen, continuation) = AsyncStream.makeStream(of: Int.self)
    atom.watch { continuation.yield($0.new.count) }
    try atom.swap { $0["a"] = 1 }
    for await count in seen {
      #expect(count == 1)
      break
    }
  }

  @Test func statusesTellTheStory() async throws {
    let scene = try await Scene()
    scene.network.isOnline = false
    let atom = try await scene.atom()
    try await atom.status { $0.connection == .waiting && $0.lastError != nil }
    try atom.swap { $0["a"] = 1 }
    let pending = try await atom.status { $0.pendingCount == 1 && $0.unsavedCount == 0 }
    #expect(pending.pendingIDs == ["a"])
    #expect(pending.oldestPending != nil)
    #expect(!pending.isSettled)
    let delay = Delay()
    scene.network.plan(.delayRequest(delay), on: .push)
    scene.network.isOnline = true
    try await delay.reached()
    try await atom.status { $0.inFlightCount == 1 }
    delay.release()
    try await atom.settled()
    let settled = try await atom.status { $0.isSettled && $0.connection == .live }
    #expect(settled.lastPush != nil && settled.lastPull != nil && settled.hasSynced)
    #expect(settled.lastError == nil && settled.oldestPending == nil)
  }
}
