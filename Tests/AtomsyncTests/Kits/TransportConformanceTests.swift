import Atomsync
import AtomsyncCore
import AtomsyncTesting
import Foundation
import Testing
import Transit

/// The loopback against every promise, and every promise against a transport that breaks it.
@Suite(.timeLimit(.minutes(1))) struct TransportConformanceTests {
  @Test(arguments: TransportConformanceCase.all)
  func loopback(_ promise: TransportConformanceCase) async throws {
    try await promise.run { authority, use in try await use(.loopback(authority)) }
    try await promise.run(codec: .transitJSON) { authority, use in try await use(.loopback(authority)) }
  }

  @Test(arguments: TransportConformanceCase.all)
  func aScriptWithoutFaults(_ promise: TransportConformanceCase) async throws {
    try await promise.run { authority, use in
      try await use(.scripted(TransportScript(), over: .loopback(authority)))
    }
  }

  static let flaws: [String: FlawedTransport.Flaw] = [
    "what is pushed is pulled as it was": .changesIDs,
    "a page is the authority's": .forgetsCursor,
    "verdicts are the authority's": .forgetsReasons,
    "an atomic push is one": .splitsPushes,
    "a push that is repeated is one push": .forgetsTickets,
    "each call arrives once": .sendsTwice,
    "calls may run at once": .mixesAnswers,
    "a message of megabytes passes": .small,
    "what the authority refuses is an error that says why": .oneCode,
    "a store that fails is no verdict": .failureIsRefusal,
    "after close, every call is an error": .worksAfterClose,
    "closing the transport ends calls in progress with an error": .callsOutliveClose,
    "a call ends when its task is cancelled": .callsIgnoreCancellation,
    "closing one transport leaves the other open": .closesAuthority,
    "a stream opens, and then tells what is written, in order": .neverOpens,
    "a stream follows several groups, each from its place": .followsFromBeginning,
    "a stream waits for its receiver": .doesNotWait,
    "a stream ends when its task is cancelled": .ignoresCancellation,
    "what the receiver throws ends the stream, and is thrown": .swallowsErrors,
    "closing the transport ends its streams with an error": .streamsOutliveClose,
    "a stream ends when its authority does": .streamsOutliveAuthority,
  ]

  @Test(arguments: TransportConformanceCase.all)
  func aFlawIsFound(_ promise: TransportConformanceCase) async throws {
    let flaw = try #require(Self.flaws[promise.name])
    let hangs = [
      .ignoresCancellation, .streamsOutliveClose, .streamsOutliveAuthority, .callsOutliveClose,
      .callsIgnoreCancellation,
    ].contains(flaw)
    let error = await #expect(throws: (any Error).self) {
      try await promise.run(patience: .seconds(hangs ? 1 : 60)) { authority, use in
        try await use(
          TransportProvider("flawed") { codec in
            FlawedTransport(flaw, authority, LoopbackTransport(authority, codec: codec))
          })
      }
    }
    // What does not end is found by waiting in vain, everything else by what happens.
    let isGivenUp = (error as? ConformanceFailure)?.message.contains("did not end") == true
    #expect(isGivenUp == hangs, "\(error.map { "\($0)" } ?? "")")
  }

  @Test func aConnectorThatDoesNotConnectFails() async throws {
    let promise = try #require(TransportConformanceCase.all.first)
    await #expect(throws: ConformanceFailure.self) { try await promise.run { _, _ in } }
  }
}

/// A loopback with one flaw.
final class FlawedTransport: Transport {
  enum Flaw {
    case changesIDs, forgetsCursor, forgetsReasons, splitsPushes, forgetsTickets, sendsTwice, mixesAnswers,
      small
    case oneCode, failureIsRefusal, worksAfterClose, closesAuthority, callsOutliveClose,
      callsIgnoreCancellation
    case neverOpens, followsFromBeginning, doesNotWait, ignoresCancellation, swallowsErrors
    case streamsOutliveClose, streamsOutliveAuthority
  }
  private let flaw: Flaw
  private let authority: Authority
  private let base: LoopbackTransport
  private let last = Lock<PushAnswer?>(nil)

  init(_ flaw: Flaw, _ authority: Authority, _ base: LoopbackTransport) {
    self.flaw = flaw
    self.authority = authority
    self.base = base
  }

  func pull(_ request: PullRequest, progress: @escaping @Sendable () -> Void) async throws -> PullPage {
    var request = request
    if flaw == .forgetsCursor { request.start = .beginning }
    return try await flawed { [request] in try await self.base.pull(request, progress: progress) }
  }

  func push(_ request: PushRequest, progress: @escaping @Sendable () -> Void) async throws -> PushAnswer {
    var request = request
    switch flaw {
    case .changesIDs:
      for index in request.edits.indices {
        request.edits[index].id = request.edits[index].id.lowercased() + "."
      }
    case .splitsPushes: request.isAtomic = false
    case .forgetsTickets: request.ticket = nil
    case .small where request.edits.reduce(0, { $0 + $1.content.byteCount }) > 1 << 20:
      throw TransportError(.unreachable, "too much")
    case .sendsTwice: _ = try await base.push(request, progress: progress)
    default: break
    }
    var answer = try await flawed { [request] in try await self.base.push(request, progress: progress) }
    if flaw == .forgetsReasons {
      answer.rejected = answer.rejected.map { .init(id: $0.id, reason: .invalid) }
    }
    if flaw == .mixesAnswers {
      let other = last.withLock { last in
        defer { last = answer }
        return last
      }
      return other ?? answer
    }
    return answer
  }

  func live(
    _ request: LiveRequest, receive: @escaping @Sendable (LiveEvent) async throws -> Void
  ) async throws {
    switch flaw {
    case .neverOpens:
      try await base.live(request) { event in if event != .opened { try await receive(event) } }
    case .followsFromBeginning:
      let groups = request.groups.map { PullRequest(group: $0.group) }
      try await base.live(LiveRequest(groups: groups), receive: receive)
    case .doesNotWait:
      try await base.live(request) { event in Task { try await receive(event) } }
    case .swallowsErrors:
      try? await base.live(request, receive: receive)
    case .ignoresCancellation:
      let base = base
      try await Task { try await base.live(request, receive: receive) }.value
    case .streamsOutliveClose, .streamsOutliveAuthority:
      try? await authority.live(request, receive: receive)
      // Until the trial is given up.
      for await _ in AsyncStream<Never>.makeStream().stream {}
    default:
      try await flawed { try await self.base.live(request, receive: receive) }
    }
  }

  func close() async {
    switch flaw {
    case .worksAfterClose, .callsOutliveClose: break
    case .closesAuthority: await authority.close()
    default: await base.close()
    }
  }

  private func flawed<Answer: Sendable>(
    _ body: @escaping @Sendable () async throws -> Answer
  ) async throws -> Answer {
    do {
      return try await (flaw == .callsIgnoreCancellation ? Task { try await body() }.value : body())
    } catch let error as TransportError {
      if flaw == .oneCode { throw TransportError(.unreachable, "no") }
      if flaw == .failureIsRefusal { throw TransportError(.refused, "no") }
      throw error
    }
  }
}
