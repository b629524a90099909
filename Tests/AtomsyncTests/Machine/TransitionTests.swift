import Atomsync
import AtomsyncCore
import Foundation
import Testing
import Transit

/// Every event in every state has the outcome that the table in Docs/Replica.md says it has.
@Suite struct TransitionTests {
  static let states = [
    "offline", "waiting", "pulling", "pulling ahead", "saving", "saving, next here", "saving live",
    "freezing",
    "pushing", "live", "polling", "stopped",
  ]

  static let events: [(name: String, make: @Sendable (MachineBench) throws -> ReplicaEvent)] = [
    ("connect", { _ in .connect }),
    ("disconnect", { _ in .disconnect }),
    ("close", { _ in .close }),
    ("sync", { _ in .sync }),
    ("saved", { .saved(ticket: $0.machine.lastTicket) }),
    ("saved, stale", { _ in .saved(ticket: 0) }),
    ("pulled", { .pulled(request: $0.request, try MachineBench.page(3)) }),
    ("pulled, stale", { .pulled(request: $0.request - 1, try MachineBench.page(3)) }),
    ("pulled, of another user", { .pulled(request: $0.request, try MachineBench.page(3, user: "eve")) }),
    ("pull failed", { .pullFailed(request: $0.request, TransportError(.unreachable, "no")) }),
    ("pull forbidden", { .pullFailed(request: $0.request, TransportError(.forbidden, "no")) }),
    ("pull failed, stale", { .pullFailed(request: $0.request - 1, TransportError(.unreachable, "no")) }),
    ("pushed", { .pushed(request: $0.request, $0.answer()) }),
    ("pushed, stale", { .pushed(request: $0.request - 1, $0.answer()) }),
    ("push failed", { failed($0, .unavailable) }),
    ("push refused: stale number", { failed($0, .stalePush) }),
    ("push refused: too large", { failed($0, .tooLarge) }),
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
    ("live unsupported", { .liveEnded(stream: $0.stream, TransportError(.unsupported, "no")) }),
    ("live ended, stale", { .liveEnded(stream: $0.stream - 1, nil) }),
    ("timer", { .timer($0.timer) }),
    ("timer, stale", { .timer($0.timer - 1) }),
    ("merged, stale", { _ in .merged(task, .value(nil)) }),
    ("reset", { _ in .reset(keepPending: true) }),
    ("reset, dropping pending", { _ in .reset(keepPending: false) }),
    ("discard rejection, unknown", { _ in .discardRejection(id: "b") }),
  ]

  private static func failed(
    _ bench: MachineBench, _ code: TransportError.Code, offset: Int = 0
  ) -> ReplicaEvent {
    .pushFailed(request: bench.request + offset, TransportError(code, "no"), freshClient: UUID())
  }

  private static let task = MergeTask(
    input: MergeInput(document: "b", base: nil, local: "mine", remote: "theirs"), firstEdit: 1, edit: 1,
    remoteVersion: 1)

  /// What happens, in the words of the table.
  static func outcome(_ state: String, _ make: (MachineBench) throws -> ReplicaEvent) throws -> String {
    var bench = try MachineBench(state)
    let before = bench.machine.phase
    let pending = bench.machine.pendingIDs
    let event = try make(bench)
    let names = bench.feed(event).names
    #expect(bench.machine.violatedInvariant == nil)
    keepsPending(event, pending, bench)
    if before == bench.machine.phase && names.isEmpty { return "–" }
    return "\(bench.machine.phase.rawValue)\(names.isEmpty ? "" : ": " + names.joined(separator: ", "))"
  }

  /// Nothing that is pending goes, except by a verdict or because the application says so.
  private static func keepsPending(_ event: ReplicaEvent, _ pending: [String], _ bench: MachineBench) {
    switch event {
    case .pushed, .reset(keepPending: false): break
    case .pushFailed(_, let error, _) where error.code == .tooLarge: break
    default: #expect(bench.machine.pendingIDs == pending)
    }
  }

  @Test(arguments: states) func outcomes(state: String) throws {
    let table = try TransitionTable()
    #expect(table.events == Self.events.map(\.name))
    #expect(table.states == Self.states)
    for event in Self.events {
      let outcome = try Self.outcome(state, event.make)
      #expect(outcome == table.outcome(state, event.name), "\(event.name), \(state)")
    }
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
