import Atomsync
import AtomsyncCore
import AtomsyncTesting
import Testing
import Transit

/// What a bad network does to an atom.
@Suite(.timeLimit(.minutes(1))) struct NetworkTests {
  @Test(
    arguments: [
      .dropRequest, .dropAnswer, .duplicate, .garbage, .unavailable, .unauthorized,
      .fail(TransportError(.timedOut, "no")), .fail(TransportError(.malformedAnswer, "no")),
      .fail(TransportError(.stalePush, "409")),
    ] as [TransportScript.Fault])
  func aPushThatFailsIsNeitherLostNorDoubled(fault: TransportScript.Fault) async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    try await atom.settled()
    scene.network.plan(fault, on: .push)
    let verdicts = try await atom.swap { $0["a"] = 1 }.confirmed().verdicts
    #expect(verdicts == ["a": .accepted(version: 1)])
    #expect(try await scene.server() == ["a": 1])
    #expect(atom.conflicts.isEmpty)
  }

  /// Whatever becomes of it, a push is sent again as it was.
  @Test func theSamePushIsSentAgain() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    try await atom.settled()
    let delay = Delay()
    scene.network.plan(.delayRequest(delay), on: .push)
    scene.network.plan(.dropAnswer, on: .push)
    scene.network.plan(.unavailable, on: .push)
    try atom.swap { $0["a"] = 1 }
    try await delay.reached()
    try atom.swap { $0["a"] = 2 }
    scene.network.isOnline = false
    delay.release()
    scene.network.isOnline = true
    try await atom.settled()
    #expect(try await scene.server() == ["a": 2])
    let first = scene.network.pushes.prefix { $0.ticket?.number == 1 }
    #expect(Set(first.map(\.edits)).count == 1)
  }

  /// A push that arrives once more behind later ones changes nothing.
  @Test func aPushThatIsOvertakenDoesNothing() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    let delay = Delay()
    scene.network.plan(.repeatLater(delay), on: .push)
    _ = try await atom.swap { $0["a"] = 1 }.confirmed()
    _ = try await atom.swap { $0["a"] = nil }.confirmed()
    delay.release()
    try await eventually { scene.network.lateRepeats == 1 }
    #expect(try await scene.server()["a"] == nil)
    _ = try await atom.swap { $0["a"] = 2 }.confirmed()
    #expect(try await scene.server() == ["a": 2])
    #expect(atom.conflicts.isEmpty)
  }

  @Test func aLiveStreamOfGarbageIsLeft() async throws {
    let scene = try await Scene()
    let (atom, other) = (try await scene.atom(), try await scene.other())
    scene.network.plan(.garbage, on: .live)
    try await atom.settled()
    _ = try await other.swap { $0["a"] = 1 }.confirmed()
    try await atom.value { $0["a"] == 1 }
    #expect(Set(atom.contents.keys) == ["a"])
  }

  @Test(arguments: [.dropRequest, .garbage, .unavailable, .unauthorized] as [TransportScript.Fault])
  func aPullThatFailsIsTriedAgain(fault: TransportScript.Fault) async throws {
    let scene = try await Scene()
    let other = try await scene.other()
    _ = try await other.swap { $0["a"] = 1 }.confirmed()
    for _ in 0..<3 { scene.network.plan(fault, on: .pull) }
    let atom = try await scene.atom()
    try await atom.ready()
    try await atom.value { $0["a"] == 1 }
    try await atom.status { $0.lastError == nil }
  }

  @Test func aStreamThatIsCutIsOpenedAgain() async throws {
    let scene = try await Scene()
    let (atom, other) = (try await scene.atom(), try await scene.other())
    for number in 0..<5 {
      try await atom.settled()
      number % 2 == 0 ? scene.network.cutLive() : scene.network.cutLive(nil)
      _ = try await other.swap { $0["a"] = .int(Int64(number)) }.confirmed()
      try await atom.value { $0["a"] == .int(Int64(number)) }
    }
  }

  @Test func aHalfOpenStreamIsLeftBySync() async throws {
    let scene = try await Scene()
    let (atom, other) = (try await scene.atom(), try await scene.other())
    try await atom.settled()
    scene.network.silenceLive()
    _ = try await other.swap { $0["a"] = 1 }.confirmed()
    #expect(atom.value["a"] == nil)
    try await atom.sync()
    #expect(atom.value["a"] == 1)
  }

  @Test func aTransportThatNeverAnswersIsGivenUp() async throws {
    let clock = ManualClock()
    let scene = try await Scene { $0.follow(clock) }
    scene.network.plan(.silence, on: .pull)
    let atom = try await scene.atom()
    await clock.sleeps(atMost: .seconds(60))
    clock.advance(by: .seconds(60))
    try await atom.status { $0.connection == .waiting && $0.lastError != nil && $0.nextRetry != nil }
    await clock.sleeps(atMost: .seconds(1))
    clock.advance(by: .seconds(1))
    try await atom.settled()
  }

  @Test func withoutAStreamItPolls() async throws {
    let scene = try await Scene()
    scene.network.always(.fail(TransportError(.unsupported, "no live stream")), on: .live)
    let (atom, other) = (try await scene.atom(), try await scene.other())
    try await atom.status { $0.connection == .polling }
    _ = try await other.swap { $0["a"] = 1 }.confirmed()
    try await atom.value { $0["a"] == 1 }
  }

  @Test func startsOfflineAndCatchesUp() async throws {
    let scene = try await Scene()
    scene.network.isOnline = false
    let atom = try await scene.atom()
    try await atom.ready()
    #expect(!atom.status.hasSynced)
    let receipt = try atom.swap { $0["a"] = 1 }
    let error = await #expect(throws: SyncError.self) { try await atom.sync() }
    #expect(error?.code == .transport)
    let other = try await scene.other()
    _ = try await other.swap { $0["b"] = 2 }.confirmed()
    scene.network.isOnline = true
    #expect(try await receipt.confirmed().isAccepted)
    try await atom.value { $0["b"] == 2 }
    #expect(atom.status.hasSynced)
  }

  @Test func pauseAndResume() async throws {
    let scene = try await Scene()
    let (atom, other) = (try await scene.atom(), try await scene.other())
    try await atom.settled()
    atom.pause()
    #expect(atom.status.connection == .offline)
    try await atom.swap { $0["a"] = 1 }.saved()
    let error = await #expect(throws: SyncError.self) { try await atom.sync() }
    #expect(error?.code == .paused)
    try await other.sync()
    #expect(other.value.isEmpty)
    atom.resume()
    try await other.value { $0["a"] == 1 }
  }

  @Test(arguments: [true, false]) func resyncReadsEverythingAnew(discards: Bool) async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    _ = try await atom.swap { $0["a"] = 1 }.confirmed()
    try await atom.settled()
    atom.pause()
    let receipt = try atom.swap { $0["b"] = 2 }
    let neverEmpty = atom.watch { change in #expect(change.new["a"] == 1) }
    atom.resync(discardingPending: discards)
    atom.resume()
    let verdict = try await receipt.confirmed().verdicts["b"]
    #expect(verdict == (discards ? .discarded : .accepted(version: 1)))
    try await atom.settled()
    #expect(scene.network.pulls.count { $0.start == .beginning } == 2)
    #expect(try await scene.server() == (discards ? ["a": 1] : ["a": 1, "b": 2]))
    #expect(try await scene.server() == atom.contents)
    neverEmpty.cancel()
  }

  @Test func anotherUsersTokenStopsTheAtom() async throws {
    let user = Who("ann")
    let scene = try await Scene()
    let way = user.way(over: .loopback(scene.authority))
    let client = try await scene.client()
    let atom = try await client.atom("todo", transport: way)
    _ = try await atom.swap { $0["a"] = 1 }.confirmed()
    atom.pause()
    user.name = "eve"
    try atom.swap { $0["b"] = 2 }
    atom.resume()
    try await atom.status {
      $0.connection == .stopped(.wrongUser(expected: "ann", actual: "eve")) && $0.unsavedCount == 0
    }
    #expect(try await scene.server() == ["a": 1])
    #expect(atom.status.pendingIDs == ["b"])
    await #expect(throws: SyncError.self) { try await atom.sync() }
    try await client.close()
    user.name = "ann"
    let again = try await scene.client().atom("todo", transport: way)
    try await again.settled()
    #expect(try await scene.server() == ["a": 1, "b": 2])
  }

  @Test func aWithdrawnPermissionLeavesPendingEdits() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    _ = try await atom.swap { $0["a"] = 1 }.confirmed()
    try await atom.settled()
    for call in [TransportScript.Call.pull, .push, .live] { scene.network.always(.forbidden, on: call) }
    scene.network.cutLive()
    try await atom.status { $0.isRevoked }
    try atom.swap { $0["b"] = 2 }
    #expect(atom.contents == ["b": 2])
    #expect(atom.status.pendingIDs == ["b"])
    try await atom.status { $0.unsavedCount == 0 }
    // It is known after a restart as well.
    scene.network.isOnline = false
    let again = try await scene.atom()
    #expect(again.status.isRevoked && again.contents == ["b": 2])
    for call in [TransportScript.Call.pull, .push, .live] { scene.network.always(nil, on: call) }
    scene.network.isOnline = true
    try await again.settled()
    #expect(!again.status.isRevoked)
    #expect(again.contents == ["a": 1, "b": 2])
  }

  /// The server is put back to an earlier state, as another store: what it has forgotten goes, what is pending stays.
  @Test func aRestoredServerIsFollowed() async throws {
    let (now, before) = (try await Scene(), try await Scene())
    let early = try await before.other()
    _ = try await early.swap { $0["a"] = "early" }.confirmed()
    let late = try await now.other()
    _ = try await late.swap { for id in ["a", "b", "c"] { $0[id] = "late" } }.confirmed()
    let server = Lock(now.authority)
    let way = TransportProvider("whichever server there is") { _ in Restorable(server: server) }
    let atom = try await now.client().atom("todo", transport: way)
    try await atom.value { $0.count == 3 }
    try await atom.settled()
    atom.pause()
    let receipts = [try atom.swap { $0["c"] = "mine" }, try atom.swap { $0["d"] = "new" }]
    server.withLock { $0 = before.authority }
    atom.resume()
    for receipt in receipts { #expect(try await receipt.confirmed().isAccepted) }
    try await atom.settled()
    #expect(atom.contents == ["a": "early", "c": "mine", "d": "new"])
    #expect(try await before.server() == atom.contents)
  }

  // MARK: Waits

  @Test func everyWaitEnds() async throws {
    let scene = try await Scene()
    scene.network.always(.silence, on: .pull)
    let client = try await scene.client()
    let atom = try await scene.atom(of: client)
    let short = Duration.milliseconds(10)
    func timesOut(_ body: @Sendable () async throws -> Void) async {
      let error = await #expect(throws: SyncError.self) { try await body() }
      #expect(error?.code == .timedOut)
    }
    await timesOut { try await atom.ready(timeout: short) }
    await timesOut { try await atom.sync(timeout: short) }
    let receipt = try atom.swap { $0["a"] = 1 }
    await timesOut { _ = try await receipt.confirmed(timeout: short) }
    scene.disk.commitGate.shut()
    let unsaved = try atom.swap { $0["b"] = 1 }
    await timesOut { try await unsaved.saved(timeout: short) }
    await timesOut { try await client.close(timeout: short) }
    scene.disk.commitGate.open()
    try await client.close()
    #expect(try await scene.client().atom("todo").contents == ["a": 1, "b": 1])
  }

  @Test func everyWaitHonoursCancellation() async throws {
    let scene = try await Scene()
    scene.network.always(.silence, on: .pull)
    let client = try await scene.client()
    let atom = try await scene.atom(of: client)
    let receipt = try atom.swap { $0["a"] = 1 }
    try await receipt.saved()
    scene.disk.commitGate.shut()
    let unsaved = try atom.swap { $0["b"] = 1 }
    await scene.disk.commitGate.holds(1)
    let waits: [@Sendable () async throws -> Void] = [
      { try await atom.ready() }, { try await atom.sync() }, { _ = try await receipt.confirmed() },
      { try await unsaved.saved() }, { try await client.close() },
    ]
    for wait in waits {
      let task = Task { try await wait() }
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
    }
    scene.disk.commitGate.open()
    try await client.close()
  }

  @Test func readyEndsWhenTheAtomCloses() async throws {
    let scene = try await Scene()
    scene.network.always(.silence, on: .pull)
    let atom = try await scene.atom()
    let ready = Task { try await atom.ready() }
    await atom.close()
    let error = await #expect(throws: SyncError.self) { try await ready.value }
    #expect(error?.code == .stopped)
  }

  @Test func aForbiddenPushKeepsReading() async throws {
    let scene = try await Scene()
    let (atom, other) = (try await scene.atom(), try await scene.other())
    try await atom.settled()
    scene.network.always(.forbidden, on: .push)
    try atom.swap { $0["a"] = 1 }
    try await atom.status { $0.lastError != nil && $0.pendingCount == 1 && $0.connection == .live }
    _ = try await other.swap { $0["b"] = 2 }.confirmed()
    try await atom.value { $0["b"] == 2 }
    try await atom.status { $0.lastError != nil }
    // It is tried again, without anybody asking.
    scene.network.always(nil, on: .push)
    try await atom.settled()
    #expect(try await scene.server() == ["a": 1, "b": 2])
  }

  @Test func aForbiddenPushKeepsPolling() async throws {
    let scene = try await Scene()
    scene.network.always(.fail(TransportError(.unsupported, "no live stream")), on: .live)
    scene.network.always(.forbidden, on: .push)
    let (atom, other) = (try await scene.atom(), try await scene.other())
    try await atom.status { $0.connection == .polling }
    try atom.swap { $0["a"] = 1 }
    try await atom.status { $0.lastError != nil && $0.pendingCount == 1 }
    for number in Int64(1)...3 {
      _ = try await other.swap { $0["b"] = .int(number) }.confirmed()
      try await atom.value { $0["b"] == .int(number) }
    }
  }

  /// Pushes and pages that the way is too slow for, or that something on it refuses, get smaller until they pass.
  @Test(arguments: [TransportError.Code.timedOut, .oversized])
  func messagesShrinkUntilTheyPass(code: TransportError.Code) async throws {
    let scene = try await Scene()
    let most = 7
    let narrow = TransportProvider("a narrow way") { [authority = scene.authority] _ in
      Narrow(way: LoopbackTransport(authority), most: most, code: code)
    }
    let other = try await scene.other()
    let atom = try await scene.client().atom("todo", transport: narrow)
    try atom.swap { for number in 0..<60 { $0["a\(number)"] = 1 } }
    try await atom.settled()
    #expect(try await scene.server().count == 60)
    if code == .timedOut {
      atom.pause()
      _ = try await other.swap { for number in 0..<60 { $0["b\(number)"] = 1 } }.confirmed()
      atom.resume()
    }
    try await other.settled()
    try await atom.value { $0.count == other.value.count }
    #expect(atom.status.rejectedCount == 0)
  }
}

/// Lets only small messages pass.
private struct Narrow: Transport {
  let way: LoopbackTransport
  let most: Int
  let code: TransportError.Code

  func pull(
    _ request: PullRequest, progress: @escaping @Sendable () -> Void
  ) async throws -> PullPage {
    let page = try await way.pull(request)
    if code == .timedOut, page.documents.count > most { throw TransportError(code, "too slow") }
    return page
  }
  func push(
    _ request: PushRequest, progress: @escaping @Sendable () -> Void
  ) async throws -> PushAnswer {
    if request.edits.count > most { throw TransportError(code, "too large") }
    return try await way.push(request)
  }
  func live(
    _ request: LiveRequest, receive: @escaping @Sendable (LiveEvent) async throws -> Void
  ) async throws { try await way.live(request, receive: receive) }
  func close() async {}
}

/// The way to a server that a test replaces by another.
private struct Restorable: Transport {
  let server: Lock<Authority>

  private var way: LoopbackTransport { LoopbackTransport(server.withLock { $0 }) }
  func pull(
    _ request: PullRequest, progress: @escaping @Sendable () -> Void
  ) async throws -> PullPage { try await way.pull(request) }
  func push(
    _ request: PushRequest, progress: @escaping @Sendable () -> Void
  ) async throws -> PushAnswer { try await way.push(request) }
  func live(
    _ request: LiveRequest, receive: @escaping @Sendable (LiveEvent) async throws -> Void
  ) async throws { try await way.live(request, receive: receive) }
  func close() async {}
}

/// A server that takes callers for whom a test says.
final class Who: Sendable {
  private let state: Lock<String>
  init(_ name: String) { state = Lock(name) }
  var name: String {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }

  func way(over base: TransportProvider) -> TransportProvider {
    TransportProvider("as somebody") { codec in Knowing(who: self, base: try await base.open(codec: codec)) }
  }

  private struct Knowing: Transport {
    let who: Who
    let base: any Transport

    func pull(
      _ request: PullRequest, progress: @escaping @Sendable () -> Void
    ) async throws -> PullPage {
      var page = try await base.pull(request)
      page.user = who.name
      return page
    }
    func push(
      _ request: PushRequest, progress: @escaping @Sendable () -> Void
    ) async throws -> PushAnswer {
      if let user = request.user, user != who.name { throw TransportError(.wrongUser, "another user") }
      return try await base.push(request)
    }
    func live(
      _ request: LiveRequest, receive: @escaping @Sendable (LiveEvent) async throws -> Void
    ) async throws { try await base.live(request, receive: receive) }
    func close() async { await base.close() }
  }
}
