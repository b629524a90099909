internal import AtomsyncCore
internal import HashTreeCollections

extension ReplicaMachine {
  /// A document was changed here and on the server. The policy decides; nothing is lost without a trace.
  mutating func conflict(_ id: String, _ edit: PendingEdit, _ document: BaseDocument?, _ now: Int64) {
    switch settings.resolution {
    case .serverWins:
      overrule(id, now)
      overruleGroup(of: edit, now)
    case .localWins:
      report(id, edit, remote: document?.value, .localWon, now)
      settleOn(document, id, edit, value: edit.value)
    case .ask:
      let remote = document ?? BaseDocument(version: 0, updated: 0, generation: 0, value: nil)
      documents.update(id) { $0.pending?.openConflict = remote }
      ask(id)
    }
  }

  private mutating func overrule(_ id: String, _ now: Int64) {
    guard let document = documents[id], let edit = document.pending else { return }
    if let entry = inFlight?.entries.first(where: { $0.id == id }) {
      overrule(edit, since: entry, now)
      return
    }
    // One that falls with others may be without a base, which was withdrawn: then the last that was known.
    let remote = edit.openConflict.map(\.value) ?? document.base.map(\.value) ?? edit.base
    let number = report(id, edit, remote: remote, .serverWon, now)
    drop(id, .overruled(conflict: number), now)
  }

  /// Takes back what was made of a document since it was sent: what is in flight has a verdict of its own to come.
  private mutating func overrule(_ edit: PendingEdit, since entry: FrozenPush.Entry, _ now: Int64) {
    if edit.edit > entry.edit {
      let number = report(entry.id, edit, remote: edit.base, .serverWon, now)
      settle(entry.id, entry.edit + 1...edit.edit, .overruled(conflict: number), now)
    }
    leaveAtomicGroup(entry.id, edit)
    var edit = edit
    edit.edit = entry.edit
    edit.value = entry.value
    edit.atomic = nil
    setPending(entry.id, edit)
  }

  /// What was to go together falls together.
  private mutating func overruleGroup(of edit: PendingEdit, _ now: Int64) {
    for id in edit.atomic.flatMap({ atomicGroups[$0] })?.sorted() ?? [] { overrule(id, now) }
  }

  /// Asks the application about an open conflict as it is now.
  mutating func ask(_ id: String) {
    guard let edit = documents[id]?.pending, let remote = edit.openConflict else { return }
    let task = MergeTask(
      input: MergeInput(
        document: id, base: edit.base?.value, local: edit.value?.value, remote: remote.value?.value),
      firstEdit: edit.firstEdit, edit: edit.edit, remoteVersion: remote.version)
    merging[id] = task
    openConflicts.remove(id)
    effects.actions.append(.merge(task))
  }

  /// The application answered. An answer to an older question is void: the newer one is being asked.
  mutating func merged(_ task: MergeTask, _ result: MergeResult, _ now: Int64) {
    let id = task.input.document
    guard end == nil, merging[id] == task, let edit = documents[id]?.pending,
      let remote = edit.openConflict
    else { return }
    merging[id] = nil
    switch result {
    case .failed(let reason):
      openConflicts.insert(id)
      report(id, edit, remote: remote.value, .open(reason), now)
    case .value(let value):
      let number = report(id, edit, remote: remote.value, .merged, now)
      if value == remote.value {
        drop(id, .overruled(conflict: number), now)
        overruleGroup(of: edit, now)
      } else {
        settleOn(remote, id, edit, value: value)
      }
    }
  }

  /// Lets `value` stand, as an edit of the server's document.
  private mutating func settleOn(
    _ document: BaseDocument?, _ id: String, _ edit: PendingEdit, value: StoredValue?
  ) {
    var edit = edit
    edit.base = document?.value
    edit.baseVersion = document?.value == nil ? 0 : document?.version ?? 0
    edit.value = value
    edit.openConflict = nil
    edit.sent = []
    setPending(id, edit)
    queue.append(id)
  }

  /// Reports a conflict, in place of the report that it is open.
  @discardableResult
  mutating func report(
    _ id: String, _ edit: PendingEdit, remote: StoredValue?, _ outcome: Conflict.Outcome, _ now: Int64
  ) -> Int64 {
    forgetOldConflicts(now)
    forgetOpenReport(id)
    return keep(id, base: edit.base, local: edit.value, remote: remote, outcome, now)
  }

  private mutating func keep(
    _ id: String, base: StoredValue?, local: StoredValue?, remote: StoredValue?, _ outcome: Conflict.Outcome,
    _ now: Int64
  ) -> Int64 {
    record.conflict += 1
    let conflict = Conflict(
      id: record.conflict, document: id, base: base?.value, local: local?.value, remote: remote?.value,
      outcome: outcome, noticed: now)
    conflicts.append(conflict)
    if conflict.isOpen { openReports[id] = conflict.id }
    effects.conflicts.append(conflict)
    effects.batch.put(
      settings.keys.conflict(conflict.id), conflict.row(base: base, local: local, remote: remote))
    return conflict.id
  }

  /// Reports what became of an open conflict that ended by itself.
  mutating func closeReport(_ id: String, _ edit: PendingEdit, _ outcome: Conflict.Outcome, _ now: Int64) {
    guard openReports[id] != nil else { return }
    let remote = edit.openConflict.map(\.value) ?? documents[id]?.base?.value
    report(id, edit, remote: remote, outcome, now)
  }

  /// Keeps a rejected edit that a later one took the place of.
  mutating func reportOvertaken(_ rejected: RejectedEdit, by value: StoredValue?, _ now: Int64) {
    let id = rejected.rejection.document
    _ = keep(id, base: nil, local: rejected.value, remote: value, .overtaken, now)
  }

  private mutating func forgetOpenReport(_ id: String) {
    guard let number = openReports.removeValue(forKey: id) else { return }
    conflicts.removeAll { $0.id == number }
    effects.batch.delete(settings.keys.conflict(number))
  }

  /// Deletes what has outlived the retention. What is still open has not.
  mutating func forgetOldConflicts(_ now: Int64) {
    let old = Set(
      conflicts.prefix { now - $0.noticed > settings.retention }.filter { !$0.isOpen }.map(\.id))
    guard !old.isEmpty else { return }
    for id in old { effects.batch.delete(settings.keys.conflict(id)) }
    conflicts.removeAll { old.contains($0.id) }
  }
}
