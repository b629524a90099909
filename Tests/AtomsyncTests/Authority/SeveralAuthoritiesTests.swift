import Atomsync
import AtomsyncCore
import AtomsyncEngine
import AtomsyncTesting
import Foundation
import Testing
import Transit

/// Authorities that share a store: none of them loses what it has accepted.
@Suite(.timeLimit(.minutes(1))) struct SeveralAuthoritiesTests {
  private let store = SharedStore()
  /// One clock for all, which stands still: what makes two writes look alike.
  private func still(_ configuration: inout AtomsyncConfiguration) {
    configuration.now = { Date(milliseconds: 1_790_000_000_000) }
  }

  /// A turn of two pushes loses the group to a write that leaves the head as the first of them would have: the second is
  /// void with it, or its document would be written twice in one version.
  @Test func aTurnIsVoidAsAWhole() async throws {
    let slow = FaultyStorage(MemoryStorage())
    let gate = slow.commitGate
    let first = try await store.authority({ GatedStorage($0, gate) }, still)
    let second = try await store.authority({ $0 }, still)
    let (one, other) = (Client(authority: first), Client(authority: second))
    try await other.push([try .put("z", 0)])
    gate.shut()
    // The first push takes the turn, the two after it are in the next.
    async let blocker = one.push([try .put("y", 0)])
    await gate.holds(1)
    async let pushedA = one.push([try .put("a", 1)])
    async let pushedB = one.push([try .put("b", 2)])
    for _ in 0..<1000 { await Task.yield() }
    gate.openForOne()
    await gate.holds(1)
    // As many documents as the first of the two, in the same millisecond.
    let theirs = try await other.push([try .put("b", 3)])
    gate.open()
    _ = try await (blocker, pushedA)
    let ours = try await pushedB
    #expect(theirs.accepted.map(\.version) == [1])
    #expect(ours.accepted.isEmpty && ours.rejected.first?.reason == .stale)
    #expect(try ours.rejected.first?.current?.value() == 3)
    #expect(try await first.verify().problems == [])
  }

  /// What another authority commits while a page is read is in the page or comes after it.
  @Test func aPageIsOfOneSnapshot() async throws {
    let writer = Client(authority: try await store.authority())
    let numbers = Lock((begun: 0, done: Set<String>()))
    let reader = try await store.authority { [writer] storage in
      InterposingStorage(storage) {
        let id = numbers.withLock { numbers in
          numbers.begun += 1
          return "\(numbers.begun)"
        }
        try await writer.push([try .put(id, 0)])
        numbers.withLock { _ = $0.done.insert(id) }
      }
    }
    let client = Client(authority: reader)
    var (cursor, documents): (Cursor?, Set<String>) = (nil, [])
    for _ in 0..<4 {
      let page = try await client.pull(cursor.map { .cursor($0) } ?? .beginning)
      documents.formUnion(page.documents.map(\.id))
      cursor = page.cursor
    }
    let done = numbers.withLock { $0.done }
    let last = try await writer.pull(cursor.map { .cursor($0) } ?? .beginning)
    documents.formUnion(last.documents.map(\.id))
    #expect(documents.isSuperset(of: done) && done.count >= 4)
  }

  /// A group that others hold all the time is not waited for without end.
  @Test func whoeverCannotHaveAGroupIsTold() async throws {
    var scheduler = PushScheduler(identity: UUID(), limits: Limits())
    let edits = [try Edit.put("a", 1)]
    _ = try scheduler.admit(PushRequest(group: "g", edits: edits))
    var answers: [PushScheduler.Result] = []
    for _ in 0..<100 {
      guard var turn = scheduler.next({ UUID() }) else { break }
      // A claim of somebody else's, and each time a new one.
      var head = GroupHead()
      head.claim = UUID()
      turn.judge(StorageSnapshot(values: [head.bytes] + Array(repeating: nil, count: 8), scans: []), now: 1)
      turn.committed([])
      let ended = scheduler.end(turn)
      answers += ended.results.map(\.result)
      for (group, _) in ended.resting { scheduler.wake(group) }
    }
    guard case .failure(let error as ProtocolError)? = answers.first else {
      Issue.record("The push was not answered.")
      return
    }
    #expect(error.code == .unavailable && answers.count == 1 && scheduler.isIdle)
  }

  /// What is committed while a live reader takes its first look wakes it.
  @Test func aCommitDuringTheFirstLookIsSeen() async throws {
    let pusher = Lock<Client?>(nil)
    let authority = try await store.authority { storage in
      InterposingStorage(storage) {
        let client = pusher.withLock { pusher in
          defer { pusher = nil }
          return pusher
        }
        try await client?.push([try .put("late", 1)])
      }
    }
    let client = Client(authority: authority)
    try await client.push([try .put("early", 1)])
    pusher.withLock { $0 = client }
    await #expect(throws: CancellationError.self) {
      try await authority.live(LiveRequest(groups: [PullRequest(group: client.group)])) { event in
        if case .page(let page) = event, page.documents.contains(where: { $0.id == "late" }) {
          throw CancellationError()
        }
      }
    }
  }

  /// The record of a client's last push is never replaced by that of an earlier one.
  @Test func anEarlierPushDoesNotReplaceTheRecordOfALaterOne() async throws {
    let gate = FaultyStorage(MemoryStorage()).commitGate
    let first = try await store.authority { GatedStorage($0, gate) }
    let second = try await store.authority()
    let (one, other) = (Client(authority: first), Client(authority: second))
    try await other.push([try .put("a", 0)])
    let client = UUID()
    // Neither push changes a document, so that the head stays what it is.
    gate.shut()
    let early = Task { try await one.push([try .put("a", 1)], PushTicket(client: client, number: 1)) }
    await gate.holds(1)
    let late = try await other.push([try .put("a", 2)], PushTicket(client: client, number: 2))
    gate.open()
    let error = await #expect(throws: ProtocolError.self) { try await early.value }
    #expect(error?.code == .stalePush)
    // Repeated, the later one is still known.
    let again = try await other.push([try .put("a", 2)], PushTicket(client: client, number: 2))
    #expect(again.rejected.map(\.id) == late.rejected.map(\.id))
  }

  /// A push of many documents takes long to judge. It is not starved by those of few, and nobody else waits for it.
  @Test func aLargePushIsNotStarved() async throws {
    let first = try await store.authority { SlowStorage($0) }
    let second = try await store.authority()
    let (one, other) = (Client(authority: first), Client(authority: second))
    let isDone = Lock(false)
    let stream = Task {
      var version: Int64 = 0
      while !isDone.withLock({ $0 }) {
        let answer = try await other.push([try .put("hot", .int(version), at: version)])
        if let accepted = answer.accepted.first { version = accepted.version }
        await Task.yield()
      }
      return version
    }
    let edits = try (0..<500).map { try Edit.put("d\($0)", .int(Int64($0))) }
    async let large = one.push(edits)
    // Another group of the same server goes on meanwhile.
    let cold = try await first.push(PushRequest(group: "cold", edits: [try .put("x", 1)]))
    #expect(cold.accepted.count == 1)
    #expect(try await large.accepted.count == 500)
    isDone.withLock { $0 = true }
    #expect(try await stream.value > 0)
    #expect(try await first.verify().problems == [])
  }

  /// An authority may die before the turn that it has claimed a group for.
  @Test func theClaimOfADeadAuthorityIsGivenUp() async throws {
    let client = Client(authority: try await store.authority())
    try await client.push([try .put("a", 1)])
    var claim = ClaimWork(group: client.group, claim: UUID())
    var contents = store.contents
    try claim.judge(
      contents.read(claim.query), TurnContext(identity: UUID(), epoch: UUID(), now: 0, limits: Limits()))
    for batch in claim.batches { _ = contents.apply(batch) }
    store.contents = contents
    #expect(try await client.push([try .put("a", 2, at: 1)]).accepted.count == 1)
  }

  /// A commit that fails may have been done: whoever reads the group is told to look.
  @Test func aCommitOfUnknownOutcomeWakesReaders() async throws {
    let fails = Lock(false)
    let authority = try await store.authority { ForgetfulStorage($0, fails) }
    let seen = Lock<[String]>([])
    let reader = Task {
      try await authority.live(LiveRequest(groups: [PullRequest(group: "g")])) { event in
        if case .page(let page) = event { seen.withLock { $0 += page.documents.map(\.id) } }
      }
    }
    try await Client(authority: authority).push([try .put("a", 1)])
    try await eventually { seen.withLock { $0 } == ["a"] }
    fails.withLock { $0 = true }
    await #expect(throws: StorageError.self) {
      try await Client(authority: authority).push([try .put("b", 1)])
    }
    try await eventually { seen.withLock { $0 } == ["a", "b"] }
    reader.cancel()
  }

  /// A commit is about the groups whose documents it changes, and who hears of one group reads that one.
  @Test func whatACommitIsAboutIsToldAndHeard() async throws {
    let (news, teller) = AsyncStream.makeStream(of: ForeignCommit.self)
    let (topics, asked) = (Lock<[Set<String>?]>([]), Lock<[StorageQuery]>([]))
    let writer = try await store.authority {
      HearsayStorage(base: $0, news: AsyncStream { $0.finish() }, topics: topics, asked: Lock([]))
    }
    let reader = try await store.authority {
      HearsayStorage(base: $0, news: news, topics: Lock([]), asked: asked)
    }
    let seen = Lock<[String]>([])
    let (opened, opening) = AsyncStream.makeStream(of: Void.self)
    let streams = ["g", "h"].map { group in
      Task {
        try await reader.live(LiveRequest(groups: [PullRequest(group: group)])) { event in
          guard case .page(let page) = event else { return }
          seen.withLock { $0 += page.documents.map { "\(group)/\($0.id)" } }
          opening.yield()
        }
      }
    }
    var first = opened.makeAsyncIterator()
    for _ in streams { await first.next() }
    asked.withLock { $0 = [] }
    for group in ["g", "h"] { try await Client(authority: writer, group: group).push([try .put("a", 1)]) }
    #expect(topics.withLock { $0.suffix(4) } == [[], ["g"], [], ["h"]])
    teller.yield(ForeignCommit(topics: ["g"]))
    try await eventually { seen.withLock { $0 } == ["g/a"] }
    let h = Array("h".utf8)
    #expect(!asked.withLock { $0 }.contains { $0.scans.contains { $0.range.lower.contains(h) } })
    teller.yield(ForeignCommit())
    try await eventually { seen.withLock { $0 } == ["g/a", "h/a"] }
    for stream in streams { stream.cancel() }
  }

  /// A store whose index names a change that is not there: the push that looks there fails, and nothing else does.
  @Test func aMissingChangeFailsOnePushOnly() async throws {
    let authority = try await store.authority()
    let client = Client(authority: authority)
    try await client.push([try .put("a", 1), try .put("b", 1)])
    // The change of "a" has the sequence 1.
    var bytes = store.contents
    let changes = bytes.read(StorageQuery(scans: [StorageScan(KeyRange(prefix: [0x63]))])).scans[0].entries
    _ = bytes.apply(StorageBatch(writes: [.delete(changes[0].key)]))
    store.contents = bytes
    let error = await #expect(throws: StorageError.self) { try await client.push([try .put("a", 2)]) }
    #expect(error?.code == .corrupt)
    #expect(try await client.push([try .put("b", 2, at: 1)]).accepted.count == 1)
    #expect(try await authority.verify().problems.count == 1)
    await authority.close()
  }
}

/// A storage whose commits wait at a gate.
private struct GatedStorage: Storage {
  let base: any Storage
  let gate: StorageGate

  init(_ base: any Storage, _ gate: StorageGate) {
    self.base = base
    self.gate = gate
  }

  var capabilities: StorageCapabilities { base.capabilities }
  func read(_ query: StorageQuery) async throws -> StorageSnapshot { try await base.read(query) }
  func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] {
    await gate.pass()
    return try await base.commit(batches)
  }
  func close() async { await base.close() }
}

/// A storage that lets something happen after each read.
private struct InterposingStorage: Storage {
  let base: any Storage
  let afterRead: @Sendable () async throws -> Void

  init(_ base: any Storage, afterRead: @escaping @Sendable () async throws -> Void) {
    self.base = base
    self.afterRead = afterRead
  }

  var capabilities: StorageCapabilities { base.capabilities }
  func read(_ query: StorageQuery) async throws -> StorageSnapshot {
    let snapshot = try await base.read(query)
    try await afterRead()
    return snapshot
  }
  func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] { try await base.commit(batches) }
  func close() async { await base.close() }
}

/// Notes what is asked and what commits are about, and hears of others' commits what it is told.
private struct HearsayStorage: Storage {
  let base: any Storage
  let news: AsyncStream<ForeignCommit>
  let topics: Lock<[Set<String>?]>
  let asked: Lock<[StorageQuery]>

  var capabilities: StorageCapabilities { base.capabilities }
  func read(_ query: StorageQuery) async throws -> StorageSnapshot {
    asked.withLock { $0.append(query) }
    return try await base.read(query)
  }
  func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] {
    topics.withLock { $0 += batches.map(\.topics) }
    return try await base.commit(batches)
  }
  func foreignCommits() -> AsyncStream<ForeignCommit> { news }
  func close() async { await base.close() }
}

/// A storage that takes longer the more is asked of it.
private struct SlowStorage: Storage {
  let base: any Storage

  init(_ base: any Storage) { self.base = base }

  var capabilities: StorageCapabilities { base.capabilities }
  func read(_ query: StorageQuery) async throws -> StorageSnapshot {
    let snapshot = try await base.read(query)
    for _ in 0..<query.keys.count / 4 { await Task.yield() }
    return snapshot
  }
  func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] { try await base.commit(batches) }
  func close() async { await base.close() }
}

/// A storage that commits and says that it has failed, once it is told to.
private struct ForgetfulStorage: Storage {
  let base: any Storage
  let fails: Lock<Bool>

  init(_ base: any Storage, _ fails: Lock<Bool>) {
    self.base = base
    self.fails = fails
  }

  var capabilities: StorageCapabilities { base.capabilities }
  func read(_ query: StorageQuery) async throws -> StorageSnapshot { try await base.read(query) }
  func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] {
    let outcomes = try await base.commit(batches)
    if fails.withLock({ $0 }) { throw StorageError(.failed, "Nobody knows.") }
    return outcomes
  }
  func close() async { await base.close() }
}
