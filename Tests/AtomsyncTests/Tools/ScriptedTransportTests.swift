import Atomsync
import AtomsyncCore
import AtomsyncTesting
import Testing
import Transit

private final class CountingTransport: Transport {
  private let base: any Transport
  let pushes = Lock(0)

  init(_ base: any Transport) { self.base = base }

  func pull(
    _ request: PullRequest, progress: @escaping @Sendable () -> Void
  ) async throws -> PullPage { try await base.pull(request) }

  func push(
    _ request: PushRequest, progress: @escaping @Sendable () -> Void
  ) async throws -> PushAnswer {
    pushes.withLock { $0 += 1 }
    return try await base.push(request)
  }

  func live(
    _ request: LiveRequest, receive: @escaping @Sendable (LiveEvent) async throws -> Void
  ) async throws {
    try await base.live(request, receive: receive)
  }

  func close() async { await base.close() }
}

/// Each fault does to a call what its documentation says, no more and no less.
@Suite(.timeLimit(.minutes(1))) struct ScriptedTransportTests {
  private let script = TransportScript()
  private let authority: Authority
  private let transport: any Transport

  init() async throws {
    authority = try await Authority.open(Scene.configuration())
    transport = try await TransportProvider.scripted(script, over: .loopback(authority))
      .open(codec: .transitJSON)
  }

  private func push(_ id: String) async throws -> PushAnswer {
    try await transport.push(
      PushRequest(
        group: "todo", edits: [Edit(id: id, version: 0, content: .value(Payload(bytes: [0x01])))]))
  }

  private func ids() async throws -> [String] {
    try await authority.pull(PullRequest(group: "todo")).documents.map(\.id)
  }

  @Test func withoutFaultsItIsTheTransportBelow() async throws {
    #expect(try await push("a").accepted.map(\.id) == ["a"])
    #expect(try await transport.pull(PullRequest(group: "todo")).documents.map(\.id) == ["a"])
    #expect(script.pushes.count == 1 && script.pulls.count == 1)
  }

  @Test func aDroppedRequestNeverArrives() async throws {
    script.plan(.dropRequest, on: .push)
    await #expect(throws: TransportError.self) { try await push("a") }
    #expect(try await ids() == [])
    _ = try await push("b")  // once only
    #expect(try await ids() == ["b"])
  }

  @Test func aDroppedAnswerHasArrived() async throws {
    script.plan(.dropAnswer, on: .push)
    await #expect(throws: TransportError.self) { try await push("a") }
    #expect(try await ids() == ["a"])
  }

  @Test func aDelayHoldsUntilItIsReleased() async throws {
    let delay = Delay()
    script.plan(.delayRequest(delay), on: .push)
    async let answer = push("a")
    try await delay.reached()
    #expect(try await ids() == [])
    delay.release()
    #expect(try await answer.accepted.count == 1)
  }

  @Test func aDuplicateArrivesTwice() async throws {
    let base = CountingTransport(try await TransportProvider.loopback(authority).open(codec: .transitJSON))
    script.plan(.duplicate, on: .push)
    let answer = try await ScriptedTransport(script, over: base)
      .push(
        PushRequest(
          group: "todo", edits: [Edit(id: "a", version: 0, content: .value(Payload(bytes: [0x01])))]))
    #expect(answer.accepted.map(\.version) == [1], "the first one's")
    #expect(base.pushes.withLock { $0 } == 2)
  }

  @Test func silenceLastsUntilItIsCancelled() async throws {
    script.plan(.silence, on: .pull)
    let pull = Task { [transport] in try await transport.pull(PullRequest(group: "todo")) }
    pull.cancel()
    await #expect(throws: CancellationError.self) { try await pull.value }
  }

  @Test func garbageIsNoTransit() async throws {
    script.plan(.garbage, on: .pull)
    let page = try await transport.pull(PullRequest(group: "todo"))
    let bytes = try #require(page.documents.first?.content.payload?.bytes)
    #expect(throws: TransitError.self) { try TransitValue(transit: bytes, format: .msgpack) }
  }

  @Test func plannedFaultsComeBeforeThoseOfAllCalls() async throws {
    script.always(.unavailable, on: .push)
    script.plan(.forbidden, on: .push)
    #expect(await code { try await push("a") } == .forbidden)
    #expect(await code { try await push("a") } == .unavailable)
    #expect(await code { try await push("a") } == .unavailable)
    script.always(nil, on: .push)
    _ = try await push("a")
  }

  @Test func offlineCutsStreamsAndLetsNothingThrough() async throws {
    let (opened, continuation) = AsyncStream.makeStream(of: Void.self)
    let stream = Task { [transport] in
      try await transport.live(LiveRequest(groups: [PullRequest(group: "todo")])) { _ in continuation.yield()
      }
    }
    var openings = opened.makeAsyncIterator()
    await openings.next()
    #expect(script.liveCount == 1)
    script.isOnline = false
    await #expect(throws: TransportError.self) { try await stream.value }
    #expect(script.liveCount == 0)
    #expect(await code { try await push("a") } == .unreachable)
    script.isOnline = true
    _ = try await push("a")
  }

  private func code(_ call: () async throws -> PushAnswer) async -> TransportError.Code? {
    do { _ = try await call() } catch { return (error as? TransportError)?.code }
    return nil
  }
}
