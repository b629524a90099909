internal import Atomsync
internal import AtomsyncCore
internal import Transit

extension Simulation {
  /// What must hold after every event.
  mutating func check(_ effects: ReplicaEffects, of number: Int) throws {
    let replica = replicas[number]
    for id in effects.changed {
      if let value = replica.machine.value(of: id), !wasWritten(value, as: id, in: replica.group) {
        throw Violation("Replica \(number) shows \(value) as \(id), which nobody wrote.")
      }
    }
    for settled in effects.settled {
      let part = replicas[number].together.take(
        settled.id, settled.first...settled.edit, isAccepted: settled.verdict.isAccepted)
      if let part {
        throw Violation(
          "Replica \(number): \(settled.id) was accepted, but another part of atomic swap \(part) was not.")
      }
      guard case .accepted(let version) = settled.verdict, version > 0 else { continue }
      try checkConfirmed(settled, of: replica)
    }
    if !wasRestored {
      for conflict in effects.conflicts where conflict.isWithADeletion {
        guard server.wasEverGone(replica.group, conflict.document) else {
          throw Violation("Replica \(number) takes \(conflict.document) for deleted, which it never was.")
        }
      }
    }
    // After a restore, a replica meets values of its own that the server has forgotten the successors of.
    guard !wasRestored, !isFickle, !replica.wasRevoked, !replica.wasRolledBack else { return }
    for conflict in effects.conflicts where conflict.outcome != .overtaken {
      if conflict.remote != conflict.base, let remote = conflict.remote, authors[remote] == number,
        !rewritten.contains(remote),
        !replica.ledger.contains(where: { $0.value == conflict.remote && $0.isLost })
      {
        throw Violation(
          "Replica \(number) is in conflict with its own write \(remote) of \(conflict.document).")
      }
    }
  }

  /// An edit that was confirmed is in the authority's history, exactly once.
  private func checkConfirmed(_ settled: ReplicaEffects.Settled, of replica: SimulatedReplica) throws {
    guard
      let last = replica.ledger.last(where: { $0.id == settled.id && $0.edit == settled.edit && !$0.isLost }),
      let value = last.value, !wasRestored
    else { return }
    let payload = try StoredValue(value).payload
    let count = server.history.count {
      $0.group == replica.group && $0.id == settled.id && $0.payload == payload
    }
    // A merge may have replaced the value before it was sent, or the value may have been sent again after another
    // one had replaced it: then the conflict tells.
    if count != 1 && replica.machine.conflictsOf(settled.id).contains(where: { $0.local == value }) { return }
    let mayRepeat = isFickle || replica.wasRolledBack || rewritten.contains(value)
    guard mayRepeat ? count >= 1 : count == 1 else {
      throw Violation(
        "Replica \(replica.number) was told that \(value) of \(settled.id) is accepted; the server has it \(count) times."
      )
    }
  }

  /// What must hold once everything has come to rest.
  func checkTheEnd() throws {
    for replica in replicas {
      let live = try server.live(replica.group).mapValues { try StoredValue($0).value }
      let machine = replica.machine
      let visible = machine.values
      if visible != live {
        let ids = Set(visible.keys).union(live.keys).filter { visible[$0] != live[$0] }.sorted()
        throw Violation(
          "Replica \(replica.number) does not agree with the server on "
            + ids.map { "\($0) (\(visible[$0]?.description ?? "-") and \(live[$0]?.description ?? "-"))" }
            .joined(separator: ", "))
      }
      guard machine.pendingIDs.isEmpty else {
        throw Violation("Replica \(replica.number) still has \(machine.pendingIDs) pending.")
      }
      try checkNothingLost(replica)
    }
  }

  /// Every edit whose durability was acknowledged has a verdict, and one that was overruled or rejected is kept.
  private func checkNothingLost(_ replica: SimulatedReplica) throws {
    let keys = replica.keys
    for edit in replica.ledger where !edit.isLost && edit.edit <= replica.durableEdit {
      let scan = StorageScan(keys.verdicts(edit.id, from: edit.edit), limit: 1)
      guard
        let row = devices[replica.device].disk.durable.read(StorageQuery(scans: [scan])).scans.first?.entries
          .first
      else {
        throw Violation("Replica \(replica.number): nothing is known of edit \(edit.edit) of \(edit.id).")
      }
      switch try Verdict(row: row.value) {
      case .overruled(let number):
        guard replica.machine.conflictsOf(edit.id).contains(where: { $0.id == number }) else {
          throw Violation("Replica \(replica.number): conflict \(number) of \(edit.id) is not kept.")
        }
      case .discarded:
        throw Violation("Replica \(replica.number): edit \(edit.edit) of \(edit.id) was discarded.")
      case .rejected:
        // What a later edit took the place of is another matter.
        guard edit.edit == replica.ledger.last(where: { $0.id == edit.id })?.edit else { break }
        // A merge may have replaced the value before: then a conflict has it.
        let isKept = replica.machine.rejection(of: edit.id).map { $0.value == edit.value } ?? false
        guard isKept || replica.machine.conflictsOf(edit.id).contains(where: { $0.local == edit.value })
        else {
          throw Violation("Replica \(replica.number): the rejected \(edit.id) is not kept.")
        }
      case .accepted: break
      }
    }
  }
}

extension Conflict {
  /// A document that was there was taken for deleted on the server: not for forgotten by one that was restored, and
  /// not because another document of an atomic swap fell.
  fileprivate var isWithADeletion: Bool {
    base != nil && remote == nil && outcome != .localWon && outcome != .overtaken
  }
}
