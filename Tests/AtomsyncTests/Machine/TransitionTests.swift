import Atomsync
import AtomsyncCore
import Foundation
import Testing
import Transit

/// Every event in every state has the outcome that the table in Docs/Replica.md says it has.
@Suite struct TransitionTests {
  static let states = [
    "offline", "offline, saving", "waiting", "waiting, push open", "pulling", "pulling ahead", "saving",
    "saving, next here", "saving live", "freezing", "pushing", "pushing, page held", "live", "merging",
    "polling", "stopped", "wrong user",
  ]

  /// Which of the machine's inputs an event is. The switch in ``kind(of:)`` has no default: a new event has to be
  /// named here, and then to be in the table.
  enum Kind: CaseIterable {
    case connect, disconnect, close, storeLost, sync, saved, progressed, pulled, pullFailed, pushed,
      pushFailed,
      liveOpened, livePage, liveRevoked, liveEnded, timer, merged, resync, discardRejection, expire
  }

  static func kind(of event: ReplicaEvent) -> Kind {
    switch event {
    case .connect: .connect
    case .disconnect: .disconnect
    case .close: .close
    case .storeLost: .storeLost
    case .sync: .sync
    case .saved: .saved
    case .progressed: .progressed
    case .pulled: .pulled
    case .pullFailed: .pullFailed
    case .pushed: .pushed
    case .pushFailed: .pushFailed
    case .liveOpened: .liveOpened
    case .livePage: .livePage
    case .liveRevoked: .liveRevoked
    case .liveEnded: .liveEnded
    case .timer: .timer
    case .merged: .merged
    case .resync: .resync
    case .discardRejection: .discardRejection
    case .expire: .expire
    }
  }

  static let events: [(name: String, make: @Sendable (MachineBench) throws -> ReplicaEvent)] = [
    ("connect", { _ in .connect }),
    ("disconnect", { _ in .disconnect }),
    ("close", { _ in .close }),
    ("store lost", { _ in .storeLost }),
    ("sync", { _ in .sync }),
    ("saved", { .saved(ticket: $0.machine.lastTicket) }),
    ("saved, stale", { _ in .saved(ticket: 0) }),
    ("pulled", { .pulled(request: $0.request, try MachineBench.page(3)) }),
    ("pulled, stale", { .pulled(request: $0.request - 1, try MachineBench.page(3)) }),
    ("pulled, of another user", { .pulled(request: $0.request, try MachineBench.page(3, user: "eve")) }),
    ("pulled, a reset", { .pulled(request: $0.request, try MachineBench.page(3, isReset: true)) }),
    ("pull failed", { .pullFailed(request: $0.request, TransportError(.unreachable, "no")) }),
    ("pull forbidden", { .pullFailed(request: $0.request, TransportError(.forbidden, "no")) }),
    ("pull failed, stale", { .pullFailed(request: $0.request - 1, TransportError(.unreachable, "no")) }),
    ("pushed", { .pushed(request: $0.request, RemoteAnswer($0.answer())) }),
    ("pushed: stale documents", { .pushed(request: $0.request, RemoteAnswer(try $0.stale())) }),
    ("pushed: invalid documents", { .pushed(request: $0.request, RemoteAnswer($0.refusal(.invalid))) }),
    (
      "pushed: unknown reason",
      { .pushed(request: $0.request, RemoteAnswer($0.refusal(RejectionReason("tired")))) }
    ),
    ("pushed: nothing but aborted", { .pushed(request: $0.request, RemoteAnswer($0.refusal(.aborted))) }),
    (
      "pushed: another history",
      {
        var answer = try $0.stale()
        answer.isReset = true
        return .pushed(request: $0.request, RemoteAnswer(answer))
      }
    ),
    (
      "pushed: no verdict",
      {
        .pushed(request: $0.request, RemoteAnswer(PushAnswer(group: "g", accepted: [], rejected: [], now: 1)))
      }
    ),
    ("pushed, stale", { .pushed(request: $0.request - 1, RemoteAnswer($0.answer())) }),
    ("push failed", { failed($0, .unavailable) }),
    ("push refused: stale number", { failed($0, .stalePush) }),
    ("push refused: too large", { failed($0, .tooLarge) }),
    ("push refused: malformed", { failed($0, .refused) }),
    ("push refused: oversized", { failed($0, .oversized) }),
    ("push timed out", { failed($0, .timedOut) }),
    ("push refused: forbidden", { failed($0, .forbidden) }),
    ("push refused: wrong user", { failed($0, .wrongUser) }),
    ("push failed, stale", { failed($0, .unavailable, offset: -1) }),
    ("live opened", { .liveOpened(stream: $0.stream) }),
    ("live opened, stale", { .liveOpened(stream: $0.stream - 1) }),
    ("live page", { .livePage(stream: $0.stream, try MachineBench.page(3)) }),
    ("live page, stale", { .livePage(stream: $0.stream - 1, try MachineBench.page(3)) }),
    ("live page, reset", { .livePage(stream: $0.stream, try MachineBench.page(3, isReset: true)) }),
    ("live revoked", { .liveRevoked(stream: $0.stream) }),
    ("live revoked, stale", { .liveRevoked(stream: $0.stream - 1) }),
    ("live ended", { .liveEnded(stream: $0.stream, nil) }),
    ("live timed out", { .liveEnded(stream: $0.stream, TransportError(.timedOut, "no")) }),
    ("live forbidden", { .liveEnded(stream: $0.stream, TransportError(.forbidden, "no")) }),
    ("live unsupported", { .liveEnded(stream: $0.stream, TransportError(.unsupported, "no")) }),
    ("live ended, stale", { .liveEnded(stream: $0.stream - 1, nil) }),
    ("timer", { .timer($0.timer) }),
    ("timer, stale", { .timer(ReplicaTimer($0.timer.kind, $0.timer.number - 1)) }),
    ("deadline", { .timer($0.deadline) }),
    ("deadline, stale", { .timer(ReplicaTimer(.deadline, $0.deadline.number - 1)) }),
    ("opening too late", { .timer(ReplicaTimer(.opening, $0.stream)) }),
    ("stream is steady", { .timer(ReplicaTimer(.steady, $0.stream)) }),
    ("progress", { .progressed(request: $0.request) }),
    ("merged", { .merged($0.merge ?? task, .value(try StoredValue("both"))) }),
    ("merged: the server's value", { .merged($0.merge ?? task, .value(try StoredValue("theirs"))) }),
    ("merged: failed", { .merged($0.merge ?? task, .failed("no")) }),
    ("merged, stale", { _ in .merged(task, .value(nil)) }),
    ("resync", { _ in .resync(discardingPending: false) }),
    ("resync, discarding pending", { _ in .resync(discardingPending: true) }),
    (
      "discard rejection, unknown",
      { _ in .discardRejection(Rejection(document: "b", reason: "no", value: nil, detectedAt: Date())) }
    ),
    ("expire", { _ in .expire }),
  ]

  private static func failed(
    _ bench: MachineBench, _ code: TransportError.Code, offset: Int = 0
  ) -> ReplicaEvent {
    .pushFailed(request: bench.request + offset, TransportError(code, "no"), freshClient: UUID())
  }

  private static let task = MergeTask(
    input: MergeInput(document: "b", base: nil, local: "mine", remote: "theirs"), firstEdit: 7, edit: 7,
    remoteVersion: 1)

  @Test func everyEventIsInTheTable() throws {
    let bench = MachineBench()
    let kinds = try Self.events.map { Self.kind(of: try $0.make(bench)) }
    #expect(Set(kinds) == Set(Kind.allCases))
  }

  /// A swap is an event as well.
  private static let swap = "swap"

  /// What happens, in the words of the table.
  static func outcome(
    _ state: String, _ make: (@Sendable (MachineBench) throws -> ReplicaEvent)?
  ) throws -> String {
    var bench = try MachineBench(state)
    let before = bench.machine.phase
    let pending = bench.machine.pendingIDs
    let names: [String]
    if let event = try make?(bench) {
      names = bench.feed(event).names
      keepsPending(event, pending, bench)
    } else {
      names = try bench.edit("c", "new").names
      #expect(bench.machine.pendingIDs == (state == "stopped" ? [] : (pending + ["c"]).sorted()))
    }
    #expect(bench.machine.violatedInvariant == nil)
    if before == bench.machine.phase && names.isEmpty { return "–" }
    return "\(bench.machine.phase.rawValue)\(names.isEmpty ? "" : ": " + names.joined(separator: ", "))"
  }

  /// Nothing that is pending goes, except by a verdict or because the application says so.
  private static func keepsPending(_ event: ReplicaEvent, _ pending: [String], _ bench: MachineBench) {
    switch event {
    case .pushed(_, let answer) where answer.rejected.allSatisfy { $0.reason == .aborted }:
      if answer.accepted.isEmpty { #expect(bench.machine.pendingIDs == pending) }
    case .pushed(_, let answer) where answer.rejected.contains { $0.reason == RejectionReason("tired") }:
      #expect(bench.machine.pendingIDs == pending)
    case .pushed, .resync(discardingPending: true): break
    case .pushFailed(_, let error, _) where error.code == .tooLarge || error.code == .refused: break
    case .merged(_, .value): break
    default: #expect(bench.machine.pendingIDs == pending)
    }
  }

  @Test(arguments: states) func outcomes(state: String) throws {
    let table = try TransitionTable()
    #expect(table.events == Self.events.map(\.name) + [Self.swap])
    #expect(table.states == Self.states)
    for event in Self.events {
      let outcome = try Self.outcome(state, event.make)
      #expect(outcome == table.outcome(state, event.name), "\(event.name), \(state)")
    }
    #expect(try Self.outcome(state, nil) == table.outcome(state, Self.swap), "\(Self.swap), \(state)")
  }

  @Test func everyPhaseIsTested() throws {
    let phases = Set(try Self.states.map { try MachineBench($0).machine.phase })
    #expect(phases == Set(ReplicaMachine.Phase.allCases))
  }
}

/// The table of transitions in Docs/Replica.md.
struct TransitionTable {
  let states: [String]
  let events: [String]
  private var cells: [String: [String: String]] = [:]

  init() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let text = try String(contentsOf: root.appending(path: "Docs/Replica.md"), encoding: .utf8)
    var rows = text.split(separator: "\n").filter { $0.hasPrefix("|") }.map { line in
      line.split(separator: "|").map { String($0).trimmingCharacters(in: .whitespaces) }
    }
    rows.removeAll { $0.allSatisfy { $0.allSatisfy { $0 == "-" } } }
    let header = try #require(rows.first)
    states = Array(header.dropFirst())
    events = rows.dropFirst().map { $0[0] }
    for row in rows.dropFirst() {
      cells[row[0]] = Dictionary(uniqueKeysWithValues: zip(states, row.dropFirst()))
    }
  }

  func outcome(_ state: String, _ event: String) -> String? { cells[event]?[state] }
}
