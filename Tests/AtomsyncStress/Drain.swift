internal import Atomsync
internal import Foundation
internal import Transit

/// Syncs until nothing is pending, and reports what the store holds.
struct Drain {
  private struct Report: Codable {
    var isSettled = false
    var error: String?
    var documents: [String: String] = [:]
    var pending: [String] = []
    var conflicts: [Entry] = []
    var rejections: [Entry] = []
    var lookups: [Entry] = []
  }
  private struct Entry: Codable {
    var edit: Int64?
    var id: String
    var outcome: String
    var version: Int64?
    var number: Int64?
    var local: String?
    var remote: String?
  }

  private let command: StressCommand
  private let atom: SyncedAtom<String>

  init(_ command: StressCommand, _ atom: SyncedAtom<String>) {
    self.command = command
    self.atom = atom
  }

  func run() async throws -> Bool {
    var report = Report()
    do {
      try await settle()
      report.isSettled = true
    } catch {
      report.error = "\(error)"
    }
    let value = atom.value
    for (id, text) in value { report.documents[id] = text }
    report.pending = atom.status.pendingIDs
    report.conflicts = atom.conflicts.map {
      Entry(
        id: $0.document, outcome: "\($0.outcome)", number: $0.id, local: text($0.local),
        remote: text($0.remote))
    }
    report.rejections = atom.rejections.map {
      Entry(id: $0.document, outcome: $0.reason, local: text($0.value))
    }
    for line in try Journal.lines(command.journal) where line.kind == .saved {
      if let receipt = line.receipt { report.lookups += await lookUp(receipt) }
    }
    let data = try JSONEncoder().encode(report)
    try data.write(to: URL(fileURLWithPath: command.report ?? "report.json"))
    return report.isSettled
  }

  /// Syncs, again after a failure, until it succeeds or the time is up.
  private func settle() async throws {
    let deadline = ContinuousClock.now + .seconds(command.seconds)
    while true {
      do {
        return try await atom.sync(timeout: deadline - ContinuousClock.now)
      } catch let error as SyncError where error.code == .transport && ContinuousClock.now < deadline {
        try await ContinuousClock().sleep(for: .milliseconds(50))
      }
    }
  }

  /// What became of each document of an acknowledged swap.
  private func lookUp(_ receipt: Receipt.ID) async -> [Entry] {
    do {
      let confirmation = try await atom.receipt(receipt).confirmed(timeout: .seconds(1))
      return confirmation.verdicts.map { id, verdict in
        var line = JournalLine(kind: .verdict, run: command.run)
        line.take(verdict)
        return Entry(
          edit: receipt.edit, id: id, outcome: line.outcome ?? "", version: line.version,
          number: line.conflict)
      }
    } catch {
      return receipt.documents.map { Entry(edit: receipt.edit, id: $0, outcome: "unknown: \(error)") }
    }
  }

  private func text(_ value: TransitValue?) -> String? {
    if case .string(let text) = value { text } else { nil }
  }
}
