import Atomsync
import AtomsyncCore
import Foundation
import Testing
import Transit

/// How the session treats the server: which waits it begins, how large its messages are, what it takes for a fault.
@Suite struct SessionTests {
  // MARK: Waits

  /// A server that refuses pushes and has no live stream is asked for news all the same.
  @Test func aRefusalAndAPollAreWaitedForAtOnce() throws {
    var bench = try MachineBench("polling")
    try bench.edit("b", "mine")
    bench.saved()
    bench.feed(
      .pushFailed(request: bench.request, TransportError(.forbidden, "read only"), freshClient: UUID()))
    let refusal = bench.timer
    #expect(refusal.kind == .refusal)
    #expect(bench.machine.phase == .polling)
    #expect(bench.machine.timers[.refusal] == refusal.number)
    let poll = ReplicaTimer(.poll, try #require(bench.machine.timers[.poll]))
    #expect(bench.feed(.timer(poll)).names == ["pull"])
  }

  @Test func progressGivesARequestAsMuchTimeAgain() throws {
    var bench = MachineBench()
    bench.feed(.connect)
    let request = bench.request
    for _ in 0..<100 {
      bench.feed(.progressed(request: request))
      #expect(bench.feed(.timer(bench.deadline)).names == [])
    }
    #expect(bench.feed(.timer(bench.deadline)).names.contains("abandon"))
  }

  // MARK: Sizes

  @Test func pagesShrinkUntilTheyArriveInTimeAndGrowAgain() throws {
    var bench = MachineBench()
    var (asked, doublings): ([Int?], Int) = ([], 0)
    func note(_ effects: ReplicaEffects) {
      for action in effects.actions {
        switch action {
        case .pull(_, let message): asked.append(message.limit)
        case .startTimer(_, .deadline(let count)): doublings = count
        default: break
        }
      }
    }
    note(bench.feed(.connect))
    for _ in 0..<12 {
      bench.feed(.timer(bench.deadline))
      note(bench.feed(.timer(bench.timer)))
    }
    #expect(asked.map { $0 ?? 1000 } == [1000, 500, 250, 125, 62, 31, 15, 7, 3, 1, 1, 1, 1])
    #expect(doublings == 3, "what cannot be smaller is waited for longer")
    // Full pages that come in time make the next ones larger.
    asked = []
    for number in 1...1000 {
      let count = asked.last.flatMap { $0 } ?? 1
      let page = try MachineBench.page(from: number * 1000, count: count, hasMore: true)
      note(bench.feed(.pulled(request: bench.request, page)))
      bench.saved()
    }
    #expect(asked.last == .some(nil), "as large as the server likes")
  }

  @Test func pushesShrinkUntilTheyAreAnsweredInTime() throws {
    var bench = MachineBench()
    bench.feed(.connect)
    try bench.rest()
    try bench.edit(Dictionary(uniqueKeysWithValues: (0..<64).map { ("k\($0)", TransitValue.int(1)) }))
    bench.saved()
    var sizes: [Int] = []
    // What may have reached the server is sent as it was once more, before it is taken apart.
    for _ in 0..<14 {
      sizes.append(bench.pushed.count)
      bench.feed(.timer(bench.deadline))
      bench.feed(.timer(bench.timer))
      if bench.machine.phase == .pulling { try bench.rest(3) }
      bench.saved()
    }
    #expect(sizes == [64, 64, 32, 32, 16, 16, 8, 8, 4, 4, 2, 2, 1, 1])
    #expect(bench.machine.pendingIDs.count == 64, "nothing is given up")
    // Many that pass make the next ones larger.
    try bench.edit(Dictionary(uniqueKeysWithValues: (0..<300).map { ("l\($0)", TransitValue.int(1)) }))
    sizes = []
    while !bench.machine.pendingIDs.isEmpty, sizes.count < 400 {
      sizes.append(bench.pushed.count)
      _ = bench.accept()
      if bench.machine.phase == .pulling { try bench.rest(3) }
      bench.saved()
    }
    #expect(sizes.max() == 4 && sizes.sorted().dropLast() == sizes.dropLast())
    #expect(bench.machine.pendingIDs == [])
  }

  /// A proxy's own limit, of which the server knows nothing.
  @Test func whatIsTooLargeForTheWayIsTakenApartAndNotRejected() throws {
    var bench = MachineBench()
    bench.feed(.connect)
    try bench.rest()
    try bench.edit(["k": "1", "l": "2", "m": "3", "n": "4"])
    bench.saved()
    var sizes: [Int] = []
    var settled = 0
    for _ in 0..<4 {
      sizes.append(bench.pushed.count)
      let effects = bench.feed(
        .pushFailed(
          request: bench.request, TransportError(.oversized, "413 from a proxy"), freshClient: UUID()))
      settled += effects.settled.count
      if effects.names.contains("back off") { bench.feed(.timer(bench.timer)) }
      if bench.machine.phase == .pulling { try bench.rest(3) }
      bench.saved()
    }
    #expect(sizes == [4, 2, 1, 1], "one by itself may get through another day")
    #expect(settled == 0 && bench.machine.pendingIDs == ["k", "l", "m", "n"])
  }

  /// A push that was taken apart is still on its way: the edit may meet it until the document has another version.
  @Test func whatWasSentIsRememberedThroughAReset() throws {
    var bench = MachineBench()
    bench.feed(.connect)
    try bench.rest()
    try bench.edit("k", "first")
    bench.saved()
    for _ in 0..<3 {
      let failure = TransportError(.unavailable, "nobody there")
      bench.feed(.pushFailed(request: bench.request, failure, freshClient: UUID()))
      if bench.machine.phase == .waiting { bench.feed(.timer(bench.timer)) }
      bench.saved()
    }
    #expect(bench.machine.phase == .pulling, "the push was taken apart")
    try bench.edit("k", "second")
    bench.feed(.resync(discardingPending: false))
    bench.saved()
    try bench.rest()  // it does not have the first one yet
    bench.feed(.timer(bench.timer))
    bench.saved()
    #expect(bench.machine.phase == .pushing)
    let effects = bench.feed(
      .pushed(request: bench.request, RemoteAnswer(try bench.stale(version: 1, value: "first"))))
    #expect(effects.conflicts.isEmpty && bench.machine.values["k"] == "second")
    #expect(bench.machine.pendingView(of: "k")?.base == "first", "the second is put onto the first")
  }

  /// A store that was put back under a live stream: its pages go on from a place that both histories have.
  @Test func anotherValueOfAKnownVersionIsAnotherHistory() throws {
    var bench = try MachineBench("live")
    let effects = bench.feed(.livePage(stream: bench.stream, try MachineBench.page(1, value: "other")))
    #expect(effects.names.contains("pull") && bench.machine.phase == .pulling)
    bench.feed(.pulled(request: bench.request, try MachineBench.page(1, value: "other")))
    #expect(bench.machine.values["a"] == "other", "what is read anew is the truth")
    // The same again is what a stream tells of one's own push.
    bench.saved()
    let same = bench.feed(.livePage(stream: bench.stream, try MachineBench.page(1, value: "other")))
    #expect(!same.names.contains("pull"))
    // A server that contradicts itself is not asked without a pause.
    bench.feed(.livePage(stream: bench.stream, try MachineBench.page(1, value: "third")))
    #expect(bench.machine.phase == .waiting)
  }

  /// A store that was put back to before a push, under a live stream that was opened before the push was answered: what is
  /// lost is not told as another value, but not at all.
  @Test func aStreamThatDoesNotTellOfAPushIsLeft() throws {
    var bench = try MachineBench("live")
    try bench.edit("b", "mine")
    bench.saved()
    bench.feed(.pushed(request: bench.request, RemoteAnswer(bench.answer())))
    bench.saved()
    let echo = try #require(bench.echo)
    // The stream tells of other documents, and so it does not know of this one.
    bench.feed(.livePage(stream: bench.stream, try MachineBench.page(2)))
    bench.saved()
    #expect(bench.machine.timers[.echo] == echo.number)
    #expect(bench.feed(.timer(echo)).names == ["close live", "pull"])
    #expect(bench.machine.timers[.echo] == nil)
  }

  @Test func aStreamThatTellsOfEachPushIsKept() throws {
    var bench = try MachineBench("live")
    try bench.edit("b", "mine")
    bench.saved()
    let answer = bench.answer()
    bench.feed(.pushed(request: bench.request, RemoteAnswer(answer)))
    bench.saved()
    let echo = try #require(bench.echo)
    let version = try #require(answer.accepted.first?.version)
    bench.feed(
      .livePage(stream: bench.stream, try MachineBench.page(version, id: "b", value: "mine")))
    #expect(bench.machine.timers[.echo] == nil)
    bench.saved()
    #expect(bench.feed(.timer(echo)).names.isEmpty)
  }

  /// What cannot get through holds up neither reading nor the other edits.
  @Test(arguments: [TransportError.Code.oversized, .malformedAnswer, .unavailable, .timedOut])
  func whatNeverGetsThroughHoldsNothingUp(code: TransportError.Code) throws {
    var bench = MachineBench()
    bench.feed(.connect)
    try bench.rest()
    try bench.edit("large", "x")
    bench.saved()
    try bench.edit("small", "y")
    bench.saved()
    for _ in 0..<3 where bench.machine.phase == .pushing && bench.pushed.map(\.id) == ["large"] {
      bench.feed(.pushFailed(request: bench.request, TransportError(code, "no"), freshClient: UUID()))
      if bench.machine.phase == .waiting { bench.feed(.timer(bench.timer)) }
    }
    bench.saved()
    if bench.machine.phase == .pulling { try bench.rest(7) }
    #expect(bench.machine.values["a"] != nil, "what the server has is read")
    bench.feed(.sync)
    try bench.rest(8)
    bench.saved()
    #expect(bench.pushed.map(\.id).first == "small")
    #expect(bench.machine.pendingIDs == ["large", "small"])
    #expect(bench.machine.violatedInvariant == nil)
  }

  // MARK: Servers with faults

  @Test func aPageThatPromisesMoreAndDoesNotMoveOnIsAFault() throws {
    var bench = MachineBench()
    bench.feed(.connect)
    bench.feed(.pulled(request: bench.request, try MachineBench.page(1, hasMore: true)))
    bench.saved()
    let effects = bench.feed(.pulled(request: bench.request, try MachineBench.page(1, hasMore: true)))
    #expect(effects.names.contains("back off"))
  }

  @Test func twoOutdatedPushesInARowAreAFault() throws {
    var bench = try MachineBench("pushing")
    let outdated = TransportError(.stalePush, "409")
    #expect(
      !bench.feed(.pushFailed(request: bench.request, outdated, freshClient: UUID())).names
        .contains("back off"))
    if bench.machine.phase.rawValue.contains("pulling") { try bench.rest(3) }
    bench.saved()
    #expect(bench.pushed.map(\.id) == ["b"])
    #expect(
      bench.feed(.pushFailed(request: bench.request, outdated, freshClient: UUID())).names
        .contains("back off"))
    #expect(bench.machine.pendingIDs == ["b"])
  }

  /// As behind a balancer over two stores.
  @Test func resetsWithoutEndBackOff() throws {
    var bench = try MachineBench("live")
    var rounds = 0
    while bench.machine.phase == .live, rounds < 20 {
      rounds += 1
      bench.feed(.liveOpened(stream: bench.stream))
      let effects = bench.feed(
        .livePage(stream: bench.stream, try MachineBench.page(Int64(rounds), isReset: true)))
      if effects.names.contains("back off") { return }
      bench.feed(.pulled(request: bench.request, try MachineBench.page(Int64(rounds), isReset: true)))
      bench.saved()
    }
    Issue.record("It goes round without a pause.")
  }

  // MARK: What is left

  @Test func nothingIsKeptOfADocumentThatNeverWas() throws {
    var bench = try MachineBench("pushing")
    try bench.edit("b", nil)
    bench.feed(.pushFailed(request: bench.request, TransportError(.stalePush, "409"), freshClient: UUID()))
    if bench.machine.phase == .pulling { try bench.rest(3) }
    bench.saved()
    #expect(bench.pushed.map(\.content) == [.deleted])
    let accepted = bench.accept(version: 0)
    #expect(accepted.settled.map(\.verdict) == [.accepted(version: 0)])
    #expect(!bench.machine.summary.contains("b@"))
  }
}
