internal import Atomsync
internal import Foundation

/// Makes swaps at a rate, and keeps a journal of what came of them.
struct Writer {
  private let command: StressCommand
  private let atom: SyncedAtom<String>
  private let journal: Journal

  init(_ command: StressCommand, _ atom: SyncedAtom<String>, _ journal: Journal) {
    self.command = command
    self.atom = atom
    self.journal = journal
  }

  func run() async throws -> Bool {
    let lost = try await Recollection(command, atom).lost()
    for message in lost { append(.lost) { $0.message = message } }
    append(.start) { $0.pending = atom.status.pendingCount }
    say("ready")
    let statuses = Task { [self] in await follow() }
    defer { statuses.cancel() }

    let deadline = ContinuousClock.now + .seconds(command.seconds)
    try await withThrowingTaskGroup(of: Void.self) { group in
      try await write(until: deadline, &group)
      append(.done) { $0.pending = atom.status.pendingCount }
      say("done")
      group.addTask {
        try await ContinuousClock().sleep(until: deadline)
        throw CancellationError()
      }
      // Each swap's verdict, as long as there is time.
      do {
        while try await group.next() != nil {
          if atom.status.isSettled { break }
        }
      } catch is CancellationError {}
      group.cancelAll()
    }
    return lost.isEmpty
  }

  private func write(
    until deadline: ContinuousClock.Instant, _ group: inout ThrowingTaskGroup<Void, any Error>
  ) async throws {
    var workload = Workload(command)
    var made = 0
    let started = ContinuousClock.now
    while ContinuousClock.now < deadline && (command.count == 0 || made < command.count) {
      let due = Int(Double(command.rate) * ((ContinuousClock.now - started) / .seconds(1)))
      let status = atom.status
      while made < due && (command.count == 0 || made < command.count) {
        made += 1
        guard status.unsavedCount < 200, status.pendingCount < command.backlog else { continue }
        let swap = workload.next()
        append(.made) { $0.writes = swap.writes }
        let receipt = try atom.swap(atomic: swap.isAtomic) { documents in
          for (id, value) in swap.writes { documents[id] = value }
        }
        if receipt.id.edit > 0 { group.addTask { [self] in await witness(receipt, swap) } }
      }
      try await ContinuousClock().sleep(for: .milliseconds(2))
    }
  }

  /// Writes down what a swap's receipt says.
  private func witness(_ receipt: Receipt, _ swap: Workload.Swap) async {
    var hasFailed = false
    while true {
      do {
        try await receipt.saved()
        break
      } catch is CancellationError {
        return
      } catch {
        if !hasFailed {
          append(.unsaved) {
            $0.receipt = receipt.id
            $0.message = "\(error)"
          }
        }
        hasFailed = true
      }
    }
    append(.saved) {
      $0.receipt = receipt.id
      $0.writes = swap.writes
    }
    guard let confirmation = try? await receipt.confirmed() else { return }
    for (id, verdict) in confirmation.verdicts {
      append(.verdict) {
        $0.receipt = receipt.id
        $0.id = id
        $0.take(verdict)
      }
    }
  }

  /// Writes down every change of what keeps the replica from syncing or saving.
  private func follow() async {
    var last: (String?, String?) = (nil, nil)
    for await status in atom.statuses where (status.lastError, status.lastStorageError) != last {
      last = (status.lastError, status.lastStorageError)
      append(.status) {
        $0.message = status.lastError
        $0.storageError = status.lastStorageError
        $0.pending = status.pendingCount
      }
    }
  }

  private func append(_ kind: JournalLine.Kind, _ fill: (inout JournalLine) -> Void) {
    var line = JournalLine(kind: kind, run: command.run)
    fill(&line)
    journal.append(line)
  }

  private func say(_ word: String) { FileHandle.standardOutput.write(Data("\(word)\n".utf8)) }
}

extension JournalLine {
  mutating func take(_ verdict: Verdict) {
    switch verdict {
    case .accepted(let version):
      outcome = "accepted"
      self.version = version
    case .rejected(let reason):
      outcome = "rejected"
      message = reason
    case .superseded(let number):
      outcome = "superseded"
      conflict = number
    case .discarded: outcome = "discarded"
    }
  }
}
