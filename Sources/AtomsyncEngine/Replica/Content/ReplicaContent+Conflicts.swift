internal import AtomsyncCore
internal import HashTreeCollections

extension ReplicaContent {
  /// A document was changed here and on the server. The policy decides; nothing is lost without a trace.
  mutating func conflict(_ id: String, _ edit: PendingEdit, _ document: BaseDocument?) {
    // A forged value takes the place of nothing.
    switch document?.value?.unopened?.isForged ?? false ? .localWins : settings.resolution {
    case .serverWins:
      supersede(id)
      supersedeGroup(of: edit)
    case .localWins:
      var edit = edit
      merging[id] = nil
      openConflicts.remove(id)
      report(id, &edit, remote: document?.value, .localWon)
      settleOn(document, id, edit, value: edit.value)
    case .ask:
      let remote = document ?? BaseDocument(version: 0, updated: 0, generation: 0, value: nil)
      documents.update(id) { $0.pending?.openConflict = remote }
      ask(id)
    }
  }

  private mutating func supersede(_ id: String) {
    guard let document = documents[id], var edit = document.pending else { return }
    if let entry = inFlight?.entries.first(where: { $0.id == id }) {
      supersede(edit, since: entry)
      return
    }
    // One that falls with others may be without a base, which was withdrawn: then the last that was known.
    let remote = edit.openConflict.map(\.value) ?? document.base.map(\.value) ?? edit.base
    let number = report(id, &edit, remote: remote, .serverWon)
    setOpenReport(id, edit)
    drop(id, .superseded(conflict: number))
  }

  /// Takes back what was made of a document since it was sent: what is in flight has a verdict of its own to come.
  private mutating func supersede(_ edit: PendingEdit, since entry: FrozenPush.Entry) {
    var edit = edit
    if edit.edit > entry.edit {
      let number = report(entry.id, &edit, remote: edit.base, .serverWon)
      settle(entry.id, entry.edit + 1...edit.edit, .superseded(conflict: number))
    }
    leaveAtomicGroup(entry.id, edit)
    edit.edit = entry.edit
    edit.value = entry.value
    edit.isReseal = edit.value != nil && edit.value == edit.base
    edit.atomic = nil
    setPending(entry.id, edit)
  }

  /// What was to go together falls together.
  private mutating func supersedeGroup(of edit: PendingEdit) {
    for id in edit.atomic.map({ atomicGroups.documents(of: $0) }) ?? [] { supersede(id) }
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
    output.merges.append(task)
  }

  /// The application answered. An answer to an older question is void: the newer one is being asked.
  mutating func merged(_ task: MergeTask, _ result: MergeResult) {
    let id = task.input.document
    guard merging[id] == task, var edit = documents[id]?.pending, let remote = edit.openConflict
    else { return }
    merging[id] = nil
    switch result {
    case .failed(let reason):
      openConflicts.insert(id)
      report(id, &edit, remote: remote.value, .open(reason))
      setPending(id, edit)
    case .value(let value):
      let number = report(id, &edit, remote: remote.value, .merged)
      if value == remote.value {
        setOpenReport(id, edit)
        drop(id, .superseded(conflict: number))
        supersedeGroup(of: edit)
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

  // MARK: Reports

  /// Reports a conflict, in place of the report that it is open. The edit has to be stored by the caller.
  @discardableResult
  mutating func report(
    _ id: String, _ edit: inout PendingEdit, remote: StoredValue?, _ outcome: Conflict.Outcome
  ) -> Int64 {
    if let number = edit.openReport {
      conflicts.remove(number)
      output.batch.delete(settings.keys.conflict(number))
    }
    let number = keep(id, base: edit.base, local: edit.value, remote: remote, outcome)
    if case .open = outcome { edit.openReport = number } else { edit.openReport = nil }
    return number
  }

  mutating func keep(
    _ id: String, base: StoredValue?, local: StoredValue?, remote: StoredValue?, _ outcome: Conflict.Outcome
  ) -> Int64 {
    record.conflict += 1
    let row = ConflictRow(
      number: record.conflict, document: id, base: base, local: local, remote: remote, outcome: outcome,
      detected: now, age: record.age)
    conflicts.append(row)
    output.conflicts.append(row.conflict)
    output.batch.put(settings.keys.conflict(record.conflict), row.bytes)
    saveRecord()
    return record.conflict
  }

  /// Reports what became of an open conflict that ended by itself. The edit has to be stored by the caller.
  mutating func closeReport(_ id: String, _ edit: inout PendingEdit, _ outcome: Conflict.Outcome) {
    guard edit.openReport != nil else { return }
    let remote = edit.openConflict.map(\.value) ?? documents[id]?.base?.value
    report(id, &edit, remote: remote, outcome)
  }

  /// The same of an edit that goes with it.
  mutating func closeReport(_ id: String, _ edit: PendingEdit, _ outcome: Conflict.Outcome) {
    var edit = edit
    closeReport(id, &edit, outcome)
  }

  /// Notes in memory that an edit has no open report any more, because its row is about to go.
  private mutating func setOpenReport(_ id: String, _ edit: PendingEdit) {
    documents.update(id) { $0.pending?.openReport = edit.openReport }
  }

  /// Reports what took the place of a rejected edit.
  mutating func reportOvertaken(_ rejected: RejectedEdit, by value: StoredValue?) {
    _ = keep(rejected.rejection.document, base: nil, local: rejected.value, remote: value, .overtaken)
  }

  /// Counts the atom's age, and forgets the conflicts that have outlived the retention. What is still open has not.
  mutating func expire() {
    let isMuch = record.advanceAge(to: now)
    if isMuch { saveRecord() } else if recordState == .saved { recordState = .withNextRows }
    for number in conflicts.removeAll(before: record.age - settings.retention) {
      output.batch.delete(settings.keys.conflict(number))
    }
    forgetBurials()
  }
}
