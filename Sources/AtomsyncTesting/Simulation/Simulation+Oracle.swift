internal import AtomsyncCore
internal import AtomsyncEngine
internal import Transit

// What must hold after every event.

extension Simulation {
  private func document(_ id: String, _ replica: SimulatedReplica) -> SimulatedStore.DocumentKey {
    .init(group: replica.group, id: id)
  }

  mutating func check(_ effects: ReplicaEffects, of number: Int, because event: ReplicaEvent?) throws {
    let replica = replicas[number]
    for id in effects.changed {
      if let value = replica.machine.value(of: id),
        !(written[document(id, replica)]?.contains(value) ?? false)
      {
        if let unopened = UnopenedDocument(value) {
          try check(unopened, id, replica)
          continue
        }
        throw Violation("Replica \(number) shows \(value) as \(id), which nobody wrote.")
      }
      let base = replica.machine.base(of: id)
      if let known = replicas[number].heights.take(id, base) {
        throw Violation("Replica \(number) went back from version \(known) of \(id) to \(base.version ?? 0).")
      }
    }
    for settled in effects.settled {
      let part = replicas[number].together.take(
        settled.id, settled.first...settled.edit, isAccepted: settled.verdict.isAccepted)
      if let part {
        throw Violation(
          "Replica \(number): \(settled.id) was accepted, but another part of atomic swap \(part) was not.")
      }
      try check(settled, effects, of: replica, because: event)
    }
    let now = pendingViews(of: number)
    try checkPending(from: replica.pending, to: now, effects, of: replica)
    try checkMerge(effects, of: replica, because: event)
    try checkConflicts(effects, of: replica)
    if effects.conflicts.count > 1 {
      let sent = effects.conflicts.flatMap { replica.pending[$0.document]?.sent ?? [] }
      replicas[number].fallen.formUnion(sent.compactMap(\.self))
    }
    replicas[number].pending = now
  }

  /// Nobody is suspected who has done nothing.
  private func check(_ unopened: UnopenedDocument, _ id: String, _ replica: SimulatedReplica) throws {
    let isExplained =
      switch unopened.reason {
      case .unknownKey: replica.ring == .first
      // A push that arrives once more, after the server has forgotten it, is shown again as well.
      case .replayed: traits.recordsMayExpire || wasRestored
      case .damaged, .unsealed: false
      }
    if !isExplained && !replica.deceived.contains(id) {
      throw Violation("Replica \(replica.number) does not open \(id): \(unopened)")
    }
  }

  // MARK: Verdicts

  /// What the server is said to have, it has had; what lost or was rejected is kept.
  private func check(
    _ settled: ReplicaEffects.Settled, _ effects: ReplicaEffects, of replica: SimulatedReplica,
    because event: ReplicaEvent?
  ) throws {
    // What the edits came to: what was pending, or what was sent of it.
    let view = replica.pending[settled.id]
    let sent = replica.lastPush.flatMap { replica.pushes[$0] }?[settled.id]
    let written = replica.ledger.last { $0.id == settled.id && $0.edit == settled.edit }
    let value: TransitValue?
    if let view, view.last == settled.edit {
      value = view.value
    } else if let sent, effects.edit != settled.edit, event != nil {
      value = sent.value
    } else {
      value = written?.value
    }
    switch settled.verdict {
    case .accepted(let version):
      if version == 0 { return }  // undone before it was sent, or the deletion of nothing
      if replica.deceived.contains(settled.id) { return }
      // A process that starts with more keys may find on the server what was pending when the last one ended.
      let found = event == nil ? replica.outcomes[.init(edit: settled.edit, id: settled.id)] ?? [] : []
      let wasCommitted = try found.union([value]).contains { value in
        let write = SimulatedStore.Write(
          document: document(settled.id, replica), version: version,
          payload: try value.map { try StoredValue($0).payload })
        return store.everCommitted.contains(write) || isPurgedDeletion(write)
      }
      if !wasCommitted {
        throw Violation(
          "Replica \(replica.number) was told that \(value?.description ?? "the deletion") of \(settled.id) is accepted as "
            + "version \(version), which nobody committed.")
      }
    case .superseded(let conflict):
      let isKept = effects.conflicts.contains { $0.id == conflict && $0.document == settled.id }
      if !isKept {
        throw Violation("Replica \(replica.number): conflict \(conflict) of \(settled.id) is not kept.")
      }
      if let view, view.last == settled.edit,
        !effects.conflicts.contains(where: { $0.id == conflict && $0.local == view.value })
      {
        throw Violation("Replica \(replica.number): conflict \(conflict) has not what lost of \(settled.id).")
      }
    case .rejected:
      let isKept =
        replica.machine.rejection(of: settled.id).map { $0.value == value } ?? false
        || effects.conflicts.contains { $0.document == settled.id && $0.local == value }
      if !isKept { throw Violation("Replica \(replica.number): the rejected \(settled.id) is not kept.") }
    case .discarded:
      if case .resync(discardingPending: true) = event { return }
      throw Violation("Replica \(replica.number): edits of \(settled.id) were discarded by nobody.")
    }
  }

  /// The deletion of what is deleted already is accepted as the version of that deletion, also if it was purged since.
  private func isPurgedDeletion(_ write: SimulatedStore.Write) -> Bool {
    write.payload == nil
      && store.everCommitted.contains {
        $0.document == write.document && $0.version == write.version && $0.payload == nil
      }
  }

  // MARK: Pending edits

  /// No edit goes without a verdict, and none is put on another base without a word.
  private func checkPending(
    from old: [String: ReplicaMachine.PendingView], to new: [String: ReplicaMachine.PendingView],
    _ effects: ReplicaEffects, of replica: SimulatedReplica
  ) throws {
    for (id, before) in old.sorted(by: { $0.key < $1.key }) {
      let verdicts = effects.settled.filter { $0.id == id }
      let first = new[id].map(\.first) ?? before.last + 1
      for written in replica.ledger where written.id == id && !written.isLost {
        let edit = written.edit
        let isGone = before.first <= edit && edit <= before.last && edit < first
        if isGone && !verdicts.contains(where: { ($0.first...$0.edit).contains(edit) }) {
          throw Violation("Replica \(replica.number): edit \(edit) of \(id) went without a verdict.")
        }
      }
      guard let after = new[id] else { continue }
      let isReported = effects.conflicts.contains { $0.document == id }
      let isAccepted = verdicts.contains { $0.verdict.isAccepted }
      if after.base != before.base && !isReported && !isAccepted && !before.sent.contains(after.base)
        && !hasSent(after.base, id, replica)
      {
        throw Violation(
          "Replica \(replica.number) put its \(after.value?.description ?? "deletion") of \(id) from "
            + "\(before.base?.description ?? "nothing") onto \(after.base?.description ?? "nothing") without a word."
        )
      }
      if after.value != before.value && !effects.edited.contains(id) && !isReported && verdicts.isEmpty {
        throw Violation("Replica \(replica.number) changed its pending \(id) by itself.")
      }
    }
  }

  /// Whether a value of a document is one that the replica has sent in the push that has just been answered.
  private func hasSent(_ value: TransitValue?, _ id: String, _ replica: SimulatedReplica) -> Bool {
    guard let entry = replica.lastPush.flatMap({ replica.pushes[$0] })?[id] else { return false }
    return entry.value == value
  }

  // MARK: Conflicts

  /// A merge is what was made of the sides that are reported, and of those that there were.
  private func checkMerge(
    _ effects: ReplicaEffects, of replica: SimulatedReplica, because event: ReplicaEvent?
  ) throws {
    guard case .merged(let task, let result) = event else { return }
    let id = task.input.document
    guard let report = effects.conflicts.last(where: { $0.document == id }) else { return }
    let before = replica.pending[id]
    if report.base != task.input.base || report.local != task.input.local
      || report.remote != task.input.remote
    {
      throw Violation("Replica \(replica.number) reports other sides of \(id) than it had merged.")
    }
    if before?.value != task.input.local || before?.openRemote != .some(task.input.remote) {
      throw Violation("Replica \(replica.number) took a merge of \(id) that was out of date.")
    }
    guard case .value(let merged) = result, report.outcome == .merged else { return }
    if let after = replica.machine.pendingView(of: id) {
      if after.value != merged?.value || after.base != task.input.remote {
        throw Violation("Replica \(replica.number) did not put what was merged of \(id) onto the server's.")
      }
    } else if merged?.value != task.input.remote {
      throw Violation("Replica \(replica.number) lost what was merged of \(id).")
    }
  }

  /// No conflict is invented.
  private func checkConflicts(_ effects: ReplicaEffects, of replica: SimulatedReplica) throws {
    // After a restore, a replica meets values of its own that the server has forgotten the successors of; and so it does
    // if it has forgotten itself what it sent.
    guard !wasRestored else { return }
    for conflict in effects.conflicts where conflict.outcome == .rolledBack {
      // A push that arrives once more, after the server has forgotten it, shows an older value again.
      if !replica.deceived.contains(conflict.document) && !traits.recordsMayExpire {
        throw Violation("Replica \(replica.number) says that \(conflict.document) was rolled back.")
      }
    }
    for conflict in effects.conflicts where conflict.outcome != .overtaken && conflict.outcome != .rolledBack
    {
      let document = document(conflict.document, replica)
      if conflict.base != nil && conflict.remote == nil && conflict.outcome != .localWon,
        !store.wasEverGone(document), !replica.wasRevoked
      {
        throw Violation(
          "Replica \(replica.number) takes \(conflict.document) for deleted, which it never was.")
      }
      // Who cannot open a value does not know that it is its own.
      guard !traits.isSealed, !replica.wasRevoked, !replica.wasRolledBack, !traits.changesRights,
        !traits.recordsMayExpire
      else { continue }
      // What falls with another document of its atomic swap may have been made on a value of one's own.
      let isOfMany = effects.conflicts.count > 1
      if isOfMany, replica.pending[conflict.document]?.sent.contains(conflict.remote) ?? false { continue }
      if conflict.remote != conflict.base, let remote = conflict.remote, authors[remote] == replica.number,
        !rewritten.contains(remote), !replica.fallen.contains(remote),
        !replica.ledger.contains(where: { $0.value == conflict.remote && ($0.isLost || $0.isDiscarded) })
      {
        throw Violation(
          "Replica \(replica.number) is in conflict with its own write \(remote) of \(conflict.document).")
      }
    }
  }

  // MARK: The authorities

  /// Each accepted edit was made on what it replaces.
  mutating func checkCommit(
    _ answers: [(id: Int, answer: PushAnswer)], _ authority: Int, since before: SimulatedStore
  ) throws {
    var writes: [SimulatedStore.DocumentKey: [SimulatedStore.Write]] = [:]
    for (id, answer) in answers {
      guard var push = authorities[authority].pushes[id] else { continue }
      push.push = sealing.revealed(push.push)
      if push.push.isAtomic && !answer.accepted.isEmpty && !answer.rejected.isEmpty {
        throw Violation("An atomic push was accepted in part: \(answer.rejected.map(\.id)) were not.")
      }
      for var acceptance in answer.accepted {
        acceptance.id = sealing.revealed(id: acceptance.id, answer.group)
        guard let edit = push.push.edits.first(where: { $0.id == acceptance.id }) else {
          throw Violation("The answer names \(acceptance.id), which was not pushed.")
        }
        let document = SimulatedStore.DocumentKey(group: answer.group, id: edit.id)
        let write = SimulatedStore.Write(
          document: document, version: acceptance.version, payload: edit.content.payload)
        // A replay, also of a push of the same turn, a deletion of nothing, or a batch that was refused.
        let earlier = writes[document] ?? []
        guard store.stands(write), !before.stands(write), !earlier.contains(write) else { continue }
        let replaced = earlier.last ?? before.last(document)
        writes[document] = earlier + [write]
        try checkGround(push, edit, replaced)
      }
    }
  }

  /// A push that comes once more is answered as it was before.
  mutating func checkVerdicts(_ push: PushRequest, _ answer: PushAnswer) throws {
    guard push.ticket != nil, !wasRestored, !traits.recordsMayExpire else { return }
    let accepted = Set(answer.accepted.map(\.id))
    let earlier = verdicts.updateValue(accepted, forKey: SimulatedReplica.PushKey(push))
    if let earlier, earlier != accepted {
      throw Violation(
        "A push to \(push.group) was accepted in \(earlier.sorted()), and once more in \(accepted.sorted()).")
    }
  }

  private func checkGround(
    _ push: SimulatedAuthority.PushOnItsWay, _ edit: Edit, _ replaced: SimulatedStore.Write?
  ) throws {
    let ground: Payload?
    switch push.sender {
    case .follower: ground = follower.bases[edit] ?? nil
    case .replica(let number, _):
      let key = SimulatedReplica.PushKey(push.push)
      guard let known = replicas[number].pushes[key]?[edit.id] else {
        throw Violation("Replica \(number) has never sent the push that was committed.")
      }
      // Whom the server lies to about what it replaces, and who cannot open it, that one replaces what it does not know.
      if replicas[number].deceived.contains(edit.id) || UnopenedDocument(known.base ?? .null) != nil {
        return
      }
      ground = try known.base.map { try StoredValue($0).payload }
    }
    if ground != replaced?.payload {
      func text(_ payload: Payload?) -> String {
        payload.flatMap { try? StoredValue($0).value.description } ?? "nothing"
      }
      throw Violation(
        "\(push.sender) has overwritten \(text(replaced?.payload)) of \(edit.id) with \(text(edit.content.payload)), "
          + "which it had made on \(text(ground)).")
    }
  }

  /// What a page tells was committed, and nobody is reset for nothing.
  func checkPage(_ page: PullPage) throws {
    if page.isReset && !wasRestored && !traits.recordsMayExpire, try store.horizon(of: page.group) == 0 {
      throw Violation("A reader of \(page.group) is reset, and its history is all there.")
    }
    for document in sealing.revealed(page).documents {
      let write = SimulatedStore.Write(
        document: .init(group: page.group, id: document.id), version: document.version,
        payload: document.content.payload)
      guard store.everCommitted.contains(write) else {
        throw Violation("A page tells of \(document.id)@\(document.version), which nobody committed.")
      }
    }
  }
}
