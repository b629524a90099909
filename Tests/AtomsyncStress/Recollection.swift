internal import Atomsync

/// Looks, right after a start, whether the last acknowledged swaps of the run before are still known.
struct Recollection {
  private let command: StressCommand
  private let atom: SyncedAtom<String>
  /// How much of the end of the journal to look at.
  private static let bytes: UInt64 = 64 << 10

  init(_ command: StressCommand, _ atom: SyncedAtom<String>) {
    self.command = command
    self.atom = atom
  }

  /// What is wrong, one line each.
  func lost() async throws -> [String] {
    let shown = atom.value  // before anything that could change it is waited for
    var latest: [String: (receipt: Receipt.ID, value: String?)] = [:]
    for line in try Journal.lines(command.journal, last: Self.bytes) where line.kind == .saved {
      guard let receipt = line.receipt else { continue }
      for (id, value) in line.writes ?? [:] where (latest[id]?.receipt.edit ?? 0) < receipt.edit {
        latest[id] = (receipt, value)
      }
    }
    var problems: [String] = []
    for (id, acknowledged) in latest {
      do {
        _ = try await atom.receipt(acknowledged.receipt).confirmed(timeout: .zero)
      } catch let error as SyncError where error.code == .timedOut {
        // A part of the swap is pending; if this document still is, it shows what was written, or something later.
        guard atom.status.pendingIDs.contains(id), let value = acknowledged.value else { continue }
        if let problem = problem(id, shown[id], value) { problems.append(problem) }
      } catch {
        problems.append("Edit \(acknowledged.receipt.edit) of \(id): \(error)")
      }
    }
    return problems
  }

  private func problem(_ id: String, _ shown: String?, _ value: String) -> String? {
    let isOnce = id.hasPrefix("own:") || id.hasPrefix("pair:")
    guard let shown else { return isOnce ? "\(id) shows nothing instead of \(value)." : nil }
    let isLater = Mark(value).flatMap { mark in Mark(shown).map { mark.precedes($0) } } ?? false
    return isLater ? nil : "\(id) shows \(shown) instead of \(value), which is pending."
  }
}
