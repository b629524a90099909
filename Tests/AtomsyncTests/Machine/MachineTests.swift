import Atomsync
import AtomsyncCore
import Foundation
import HashTreeCollections
import Testing
import Transit

/// What the machine does over several events.
@Suite struct MachineTests {
  /// Base `a`, `b`, `c`, pending `d`; then the server sends its content anew, without `c`, in two pages.
  @Test func aResetInPagesNeverShowsAnEmptyAtom() throws {
    var bench = MachineBench()
    bench.feed(.connect)
    for (version, id) in ["a", "b", "c"].enumerated() {
      let page = try MachineBench.page(Int64(version + 1), id: id, hasMore: version < 2)
      bench.feed(.pulled(request: bench.request, page))
      bench.saved()
    }
    try bench.edit("d", "mine")
    bench.feed(.disconnect)
    bench.feed(.connect)
    bench.saved()
    _ = bench.accept()
    bench.saved()
    try bench.edit("c", "changed")
    bench.feed(.disconnect)
    bench.saved()
    bench.feed(.connect)
    let all: [String: TransitValue] = ["a": "theirs", "b": "theirs", "c": "changed", "d": "mine"]
    #expect(bench.machine.values == all)

    bench.saved()
    _ = bench.accept(version: 4)
    bench.saved()
    bench.feed(.sync)
    let first = try MachineBench.page(1, id: "b", value: "restored", hasMore: true, isReset: true)
    bench.feed(.pulled(request: bench.request, first))
    #expect(bench.machine.values == all.merging(["b": "restored"]) { $1 })
    bench.saved()
    try bench.edit("e", "made meanwhile")
    bench.feed(.pulled(request: bench.request, try MachineBench.page(2, id: "c", value: "restored")))
    #expect(bench.machine.values == ["b": "restored", "c": "restored", "e": "made meanwhile"])
    #expect(bench.machine.pendingIDs == ["e"])
    #expect(bench.machine.violatedInvariant == nil)
  }

  @Test func aPushEndsAtItsBytes() throws {
    var limits = Limits()
    limits.pushBytes = 250
    var bench = MachineBench(limits: limits)
    bench.feed(.connect)
    try bench.rest()
    let text = TransitValue.string(String(repeating: "x", count: 100))
    try bench.edit([
      "k": text, "l": text, "m": text, "n": text, "o": .string(String(repeating: "y", count: 999)),
    ])
    var pushes: [[String]] = []
    while !bench.machine.pendingIDs.isEmpty {
      bench.saved()
      pushes.append(bench.pushed.map(\.id))
      _ = bench.accept(version: Int64(pushes.count))
    }
    #expect(pushes == [["k", "l"], ["m", "n"], ["o"]], "one that is larger by itself goes alone")
  }

  @Test func whatTheAuthorityRefusesForGoodIsFoundAndSetAside() throws {
    var bench = MachineBench()
    bench.feed(.connect)
    try bench.rest()
    try bench.edit(["k": "1", "l": "2"])
    bench.saved()
    let refusal = ReplicaEvent.pushFailed(
      request: bench.request, TransportError(.refused, "no", cause: "malformed"), freshClient: UUID())
    bench.feed(refusal)
    #expect(bench.machine.pendingIDs == ["k", "l"])
    bench.saved()
    #expect(bench.pushed.map(\.id) == ["k"])
    let settled = bench.feed(
      .pushFailed(
        request: bench.request, TransportError(.refused, "no", cause: "malformed"), freshClient: UUID()))
    #expect(settled.settled.map(\.id) == ["k"])
    #expect(settled.settled.map(\.verdict) == [.rejected(reason: "malformed")])
    bench.saved()
    _ = bench.accept()
    #expect(bench.machine.pendingIDs == [])
    #expect(bench.machine.values == ["a": "theirs", "l": "2"])
  }

  @Test(arguments: [RejectionReason("tired"), .aborted]) func aVerdictThatSettlesNothingIsWaitedFor(
    reason: RejectionReason
  ) throws {
    var bench = try MachineBench("pushing")
    let effects = bench.feed(.pushed(request: bench.request, RemoteAnswer(bench.refusal(reason))))
    #expect(bench.machine.pendingIDs == ["b"])
    #expect(effects.names.contains("back off"))
    #expect(effects.settled.isEmpty)
  }

  /// A merge of one document of an atomic swap takes the swap back, while another of its documents is in flight by an
  /// earlier edit: that one has its own verdict.
  @Test func anAtomicSwapFallsAroundWhatIsInFlight() throws {
    var bench = MachineBench(.merge { $0.local })
    bench.feed(.connect)
    try bench.rest()
    try bench.edit("b", "mine")
    bench.saved()
    bench.feed(.pushed(request: bench.request, RemoteAnswer(try bench.stale())))
    bench.feed(.merged(try #require(bench.merge), .failed("no")))
    bench.saved()
    try bench.edit("c", "sent")
    bench.saved()
    let request = bench.request
    try bench.edit(["b": "both", "c": "both"], isAtomic: true)
    let effects = bench.feed(.merged(try #require(bench.merge), .value(try StoredValue("theirs"))))
    #expect(Set(effects.settled.map(\.id)) == ["b", "c"])
    #expect(bench.machine.violatedInvariant == nil)
    #expect(bench.machine.values == ["a": "theirs", "b": "theirs", "c": "sent"])
    #expect(bench.machine.pendingIDs == ["c"])
    let verdicts = bench.feed(.pushed(request: request, RemoteAnswer(bench.answer()))).settled
    #expect(verdicts.map(\.verdict) == [.accepted(version: 1)])
    #expect(bench.machine.pendingIDs == [] && bench.machine.violatedInvariant == nil)
  }

  /// After a withdrawal there is no base: what was there before is a value like any other.
  @Test func aBaseThatIsGoneIsNotUndoneTo() throws {
    var bench = try MachineBench("live")
    bench.feed(.disconnect)
    try bench.edit("a", "mine")
    bench.saved()
    bench.feed(.connect)
    bench.feed(.pullFailed(request: bench.request, TransportError(.forbidden, "no")))
    #expect(bench.machine.values == ["a": "mine"])
    try bench.edit("a", "theirs")
    #expect(bench.machine.values == ["a": "theirs"])
    #expect(bench.machine.pendingIDs == ["a"])
  }

  @Test func failuresBackOffFurtherUntilTheServerServes() throws {
    var bench = try MachineBench("pushing")
    func attempts(_ effects: ReplicaEffects) -> [Int] {
      effects.actions.compactMap {
        if case .startTimer(_, .backoff(let attempt, _)) = $0 { attempt } else { nil }
      }
    }
    for attempt in 1...3 {
      #expect(
        attempts(bench.feed(.pushed(request: bench.request, RemoteAnswer(bench.refusal(.aborted))))) == [
          attempt
        ])
      bench.feed(.timer(bench.timer))
      try bench.rest(3)
      bench.saved()  // the push is frozen, and sent again
    }
    _ = bench.accept()
    bench.saved()
    bench.feed(.livePage(stream: bench.stream, try MachineBench.page(4)))
    bench.saved()
    #expect(attempts(bench.feed(.liveEnded(stream: bench.stream, nil))) == [1])
  }

  @Test func aStreamThatIsAlwaysCutIsGivenUp() throws {
    var bench = try MachineBench("live")
    for _ in 0..<3 {
      bench.feed(.liveOpened(stream: bench.stream))
      bench.feed(.liveEnded(stream: bench.stream, nil))
      bench.feed(.timer(bench.timer))
      try bench.rest(3)
    }
    bench.feed(.liveEnded(stream: bench.stream, TransportError(.unavailable, "502")))
    try bench.rest(3)
    #expect(bench.machine.phase == .polling)
  }

  @Test func anEditMadeDuringAPushIsPendingSinceTheVerdict() throws {
    var bench = try MachineBench("pushing")
    try bench.edit("b", "later")
    bench.feed(.pushed(request: bench.request, RemoteAnswer(bench.answer())), now: 50)
    #expect(bench.machine.violatedInvariant == nil)
    #expect(bench.machine.pending["b"] == 50)
  }

  @Test func aLivePageCountsAsAPull() throws {
    var bench = try MachineBench("live")
    bench.feed(.livePage(stream: bench.stream, try MachineBench.page(2)), now: 77)
    #expect(bench.machine.status().lastPull == Date(milliseconds: 77))
  }

  @Test func conflictsAreForgottenAfterTheRetentionAndOpenOnesAreNot() throws {
    for policy in [ConflictPolicy.serverWins, .merge { $0.local }] {
      var bench = MachineBench(policy, retention: 1000)
      bench.feed(.expire, now: 1)
      bench.feed(.connect)
      try bench.rest()
      try bench.edit("b", "mine")
      bench.saved()
      bench.feed(.pushed(request: bench.request, RemoteAnswer(try bench.stale())))
      if let task = bench.merge { bench.feed(.merged(task, .failed("no"))) }
      bench.feed(.expire, now: 1001)
      #expect(bench.machine.conflictsOf("b").count == 1)
      let effects = bench.feed(.expire, now: 1002)
      #expect(bench.machine.conflictsOf("b").count == (bench.merge == nil ? 0 : 1))
      #expect(effects.batch.writes.isEmpty == (bench.merge != nil))
    }
  }

  /// A clock that jumps ahead by years, at the daily expiry of all times, and back.
  @Test func aClockThatJumpsForgetsNothingEarlyAndKeepsNothingForEver() throws {
    let day: Int64 = 24 * 3600 * 1000
    var bench = MachineBench(.serverWins, retention: 10 * day)
    func collide(_ id: String, now: Int64) throws {
      try bench.edit(id, "mine")
      bench.saved()
      bench.feed(.pushed(request: bench.request, RemoteAnswer(try bench.stale())), now: now)
      bench.saved()
    }
    var now: Int64 = 1
    bench.feed(.expire, now: now)
    bench.feed(.connect)
    try bench.rest()
    try collide("b", now: now)
    now += 3650 * day
    bench.feed(.expire, now: now)
    #expect(bench.machine.conflictsOf("b").count == 1, "a day has passed at most")
    try collide("c", now: now)
    now -= 3650 * day
    for _ in 0..<9 {
      bench.feed(.expire, now: now)
      now += day
    }
    #expect(bench.machine.conflictsOf("b").count == 1)
    for _ in 0..<2 {
      bench.feed(.expire, now: now)
      now += day
    }
    #expect(bench.machine.conflictsOf("b").isEmpty)
    #expect(bench.machine.conflictsOf("c").count == 1)
    for _ in 0..<2 {
      bench.feed(.expire, now: now)
      now += day
    }
    #expect(bench.machine.conflictsOf("c").isEmpty)
  }

  /// The store was put back, and may be put back once more to where this replica's cursor is known: what a verdict of
  /// the history in between shows must not stay as the base.
  @Test func whatAnotherHistoryShowsIsNoBase() throws {
    var bench = MachineBench()
    bench.feed(.connect)
    try bench.rest(4)
    try bench.edit("a", "mine")
    bench.saved()
    var answer = try bench.stale(version: 7, value: "of another history")
    answer.isReset = true
    let effects = bench.feed(.pushed(request: bench.request, RemoteAnswer(answer)))
    #expect(effects.conflicts.isEmpty)
    #expect(bench.machine.values == ["a": "mine"])
    let pulls = effects.actions.compactMap { action -> PullRequest? in
      if case .pull(_, let request) = action { request } else { nil }
    }
    #expect(pulls == [PullRequest(group: "g", cursor: nil, limit: pulls.first?.limit)])
    bench.saved()
    try bench.rest(4)
    #expect(bench.pushed.map(\.version) == [4])
    #expect(bench.machine.violatedInvariant == nil)
  }

  /// What opening asks for is asked for once, and its rows have a ticket of their own.
  @Test func whatLoadingBeginsIsBegunOnce() throws {
    var store = OrderedBytes()
    var bench = MachineBench(.merge { $0.local })
    func saved(_ effects: ReplicaEffects) {
      _ = store.apply(effects.batch)
      bench.saved()
    }
    saved(bench.feed(.connect))
    saved(bench.feed(.pulled(request: bench.request, try MachineBench.page(1))))
    saved(try bench.edit("b", "mine"))
    saved(bench.feed(.pushed(request: bench.request, RemoteAnswer(try bench.stale()))))
    let settings = bench.machine.settings
    var (machine, effects) = try ReplicaMachine.load(
      settings, store.read(ReplicaMachine.loadQuery(settings)), client: UUID(), now: 1)
    #expect(effects.names.filter { $0 == "merge" }.count == 1)
    #expect(effects.ticket ?? 0 == machine.lastTicket)
    effects = machine.handle(.connect, now: 1)
    #expect(effects.names == ["pull"])
  }
}
