import Atomsync
import AtomsyncCore
import AtomsyncEngine
import AtomsyncTesting
import Foundation
import Testing
import Transit

/// What a store forgets, and when: also under load, and under clocks that are wrong.
@Suite(.timeLimit(.minutes(1))) struct PurgeTests {
  private let store = SharedStore()
  private let moment = Lock<Int64>(1_790_000_000_000)
  private static let day: Int64 = 24 * 3600 * 1000

  private func authority(
    _ wrap: @escaping @Sendable (any Storage) -> any Storage = { $0 }
  ) async throws -> Authority {
    let moment = moment
    return try await store.authority(wrap) { configuration in
      configuration.now = { Date(milliseconds: moment.withLock { $0 }) }
    }
  }

  private func pass(_ time: Int64) { moment.withLock { $0 += time } }

  /// What cannot be purged in one group keeps nothing else from it.
  @Test func aGroupThatCannotBeReadStopsNoPurge() async throws {
    let authority = try await authority()
    for group in ["a", "b"] {
      let client = Client(authority: authority, group: group)
      try await client.push([try .put("x", 1)])
      try await client.push([.delete("x", at: 1)])
    }
    var contents = store.contents
    _ = contents.apply(StorageBatch(writes: [.put(AuthorityKey.head("a"), [1, 0xFE])]))
    store.contents = contents
    pass(31 * Self.day)
    await #expect(throws: StorageError.self) { try await authority.purgeAfterAJump() }
    let page = try await authority.pull(PullRequest(group: "b", start: .since(0)))
    #expect(page.documents.isEmpty)
  }

  /// A purge of many steps lets the pushes of its group go between them.
  @Test func aLongPurgeHoldsUpNoPush() throws {
    var store = OrderedBytes()
    var scheduler = PushScheduler(identity: UUID(), limits: Limits())
    var order: [Int] = []
    func turn() {
      guard var turn = scheduler.next({ UUID() }) else { return }
      turn.judge(store.read(turn.query), now: 1000)
      turn.committed(turn.batches.map { store.apply($0) })
      order += scheduler.end(turn).results.map(\.id)
    }
    for edits in [
      try (0..<20).map { try Edit.put("d\($0)", 1) }, (0..<20).map { Edit.delete("d\($0)", at: 1) },
    ] {
      _ = try scheduler.admit(PushRequest(group: "g", edits: edits))
      turn()
    }
    let dates = PurgeDates(now: 3000, retention: 1000)
    let purge = scheduler.admit(PurgeWork(group: "g", boundary: 40, dates, entries: 4))
    let push = try scheduler.admit(PushRequest(group: "g", edits: [try .put("new", 1)]))
    order = []
    turn()
    turn()
    #expect(order == [push])
    // Nor is it waited for by somebody who closes.
    scheduler.close()
    turn()
    #expect(order == [push, purge] && scheduler.isIdle)
  }

  /// A clock that was never set, as after a start without network.
  @Test func nothingIsPurgedUnderAClockThatIsBehind() async throws {
    try await expectNothingPurged { authority in
      moment.withLock { $0 = 0 }
      try await authority.purgeAfterAJump()
      moment.withLock { $0 = 1_790_000_000_000 + Self.day }
    }
  }

  @Test func nothingIsPurgedUnderAClockThatIsAheadForAMoment() async throws {
    try await expectNothingPurged { authority in
      try await authority.purgeAfterAJump()
      pass(365 * Self.day)
      try await authority.purge()
      pass(-365 * Self.day)
    }
  }

  /// A push is still known after `accident`, and does not create again what was deleted; nobody is reset.
  private func expectNothingPurged(_ accident: (Authority) async throws -> Void) async throws {
    let authority = try await authority()
    let client = Client(authority: authority)
    let ticket = PushTicket(client: UUID(), number: 1)
    let answer = try await client.push([try .put("x", 1)], ticket)
    let cursor = try await client.pull().cursor
    try await client.push([.delete("x", at: 1)])
    try await accident(authority)
    try await authority.purgeAfterAJump()
    #expect(
      try await client.push([try .put("x", 1)], ticket).accepted.map(\.version)
        == answer.accepted.map(\.version))
    #expect(try await client.pull().documents.isEmpty)
    #expect(try await client.pull(.cursor(cursor)).isReset == false)
  }

  @Test func aWrongClockIsRecoveredFrom() async throws {
    let authority = try await authority()
    let client = Client(authority: authority)
    try await client.push([try .put("a", 1), try .put("b", 1)])
    let right = moment.withLock { $0 }
    moment.withLock { $0 = 4_102_444_800_000 }  // 2100
    try await client.push([.delete("a", at: 1), try .put("c", 1)])
    moment.withLock { $0 = right + 1000 }
    let answer = try await client.push([try .put("d", 1)])
    #expect(answer.accepted.first?.updated == right + 1000)
    // `since` a moment tells what is new since then, and at most what bears the wrong date.
    let page = try await client.pull(.since(right + 1000))
    #expect(page.documents.last?.id == "d" && !page.documents.contains { $0.id == "b" })
    // The tombstone that was written then goes when it is old.
    pass(29 * Self.day)
    try await client.push([try .put("e", 1)])
    try await authority.purgeAfterAJump()
    #expect(try await client.pull(.since(0)).documents.contains { $0.id == "a" })
    pass(2 * Self.day)
    try await authority.purgeAfterAJump()
    #expect(try await !client.pull().documents.contains { $0.id == "a" })
    let index = store.contents.read(
      StorageQuery(scans: [StorageScan(KeyRange(prefix: [0x64]))]))
    #expect(index.scans[0].entries.count == 4)
    #expect(try await authority.verify().problems == [])
  }

  /// A clock that is an hour behind another server's is nothing to recover from.
  @Test func datesNeverFallAmongServersThatAreALittleApart() async throws {
    let authority = try await authority()
    let client = Client(authority: authority)
    let first = try await client.push([try .put("a", 1)]).accepted.first?.updated
    pass(-3_600_000)
    let second = try await client.push([try .put("b", 1)]).accepted.first?.updated
    #expect(first == second)
  }

  /// Pushes come without a pause, and the tombstones go all the same.
  @Test func aPurgeGetsItsTurnUnderLoad() async throws {
    let authority = try await authority()
    let client = Client(authority: authority)
    try await client.push(try (0..<50).map { try .put("d\($0)", 1) })
    try await client.push((0..<50).map { .delete("d\($0)", at: 1) })
    pass(31 * Self.day)
    let isDone = Lock(false)
    let load = Task {
      var version: Int64 = 0
      while !isDone.withLock({ $0 }) {
        let answer = try await client.push([try .put("hot", 1, at: version)])
        version = answer.accepted.first?.version ?? answer.rejected.first?.current?.version ?? 0
      }
    }
    try await eventually { try await client.pull().documents.contains { $0.id == "hot" } }
    try await authority.purgeAfterAJump()
    isDone.withLock { $0 = true }
    try await load.value
    #expect(try await client.pull(.since(0)).isReset)
    #expect(try await authority.verify().problems == [])
  }

  /// The records of clients expire also in groups in which nothing was ever accepted.
  @Test func recordsExpireInGroupsWithoutDocuments() async throws {
    let authority = try await authority()
    for _ in 0..<3 {
      _ = try await authority.push(
        PushRequest(
          group: "nothing here", ticket: PushTicket(client: UUID(), number: 1),
          edits: [try .put("a", 1, at: 5)]))
    }
    func records() -> Int {
      store.contents.read(StorageQuery(scans: [StorageScan(KeyRange(prefix: [0x70]))])).scans[0].entries.count
    }
    #expect(records() == 3)
    pass(31 * Self.day)
    try await authority.purgeAfterAJump()
    #expect(records() == 0)
  }

  /// A first pull with a small limit does not read tombstones one by one.
  @Test func tombstonesAreSkippedManyAtATime() async throws {
    let reads = Lock(0)
    let authority = try await authority { CountingStorage($0, reads) }
    let client = Client(authority: authority)
    for chunk in 0..<3 {
      let ids = (0..<1000).map { "d\(chunk).\($0)" }
      try await client.push(try ids.map { try .put($0, 1) })
      try await client.push(ids.map { .delete($0, at: 1) })
    }
    try await client.push([try .put("alive", 1)])
    reads.withLock { $0 = 0 }
    #expect(try await client.pull(limit: 1).documents.map(\.id) == ["alive"])
    #expect(reads.withLock { $0 } < 10)
  }

  /// What waits is bounded by its bytes.
  @Test func pushesThatWaitAreBoundedByTheirBytes() async throws {
    let gate = FaultyStorage(MemoryStorage()).readGate
    let stalled: @Sendable (any Storage) -> any Storage = { StalledStorage($0, gate) }
    let authority = try await store.authority(stalled) {
      $0.limits.waitingBytes = 100_000
    }
    gate.shut()
    let large = TransitValue.string(String(repeating: "x", count: 60_000))
    async let first = Client(authority: authority).push([try .put("a", large)])
    await gate.holds(1)
    let error = await #expect(throws: ProtocolError.self) {
      try await Client(authority: authority).push([try .put("b", large)])
    }
    #expect(error?.code == .unavailable)
    gate.open()
    #expect(try await first.accepted.count == 1)
    #expect(try await Client(authority: authority).push([try .put("b", large)]).accepted.count == 1)
  }
}

private struct CountingStorage: Storage {
  let base: any Storage
  let reads: Lock<Int>

  init(_ base: any Storage, _ reads: Lock<Int>) {
    self.base = base
    self.reads = reads
  }

  var capabilities: StorageCapabilities { base.capabilities }
  func read(_ query: StorageQuery) async throws -> StorageSnapshot {
    reads.withLock { $0 += 1 }
    return try await base.read(query)
  }
  func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] { try await base.commit(batches) }
  func close() async { await base.close() }
}

/// A storage whose reads of documents wait at a gate.
private struct StalledStorage: Storage {
  let base: any Storage
  let gate: StorageGate

  init(_ base: any Storage, _ gate: StorageGate) {
    self.base = base
    self.gate = gate
  }

  var capabilities: StorageCapabilities { base.capabilities }
  func read(_ query: StorageQuery) async throws -> StorageSnapshot {
    await gate.pass()
    return try await base.read(query)
  }
  func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] { try await base.commit(batches) }
  func close() async { await base.close() }
}
