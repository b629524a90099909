internal import AtomsyncCore
internal import HashTreeCollections
internal import Transit

extension ReplicaMachine {
  /// Takes a swap: the documents that it changed, as they are to be.
  ///
  /// - Parameter isAtomic: the changes reach the server together or not at all.
  /// - Returns: the effects; without an edit number when nothing was changed.
  package mutating func edit(
    _ changes: [(id: String, value: StoredValue?)], isAtomic: Bool = false, now: Int64
  ) throws -> ReplicaEffects {
    var real: [(id: String, value: StoredValue?)] = []
    for change in changes where show(change.value?.value, as: change.id) { real.append(change) }
    guard !real.isEmpty else { return takeEffects() }
    record.edit += 1
    for (id, value) in real { edit(id, value, now) }
    if isAtomic && real.count > 1 { join(real.map(\.id)) }
    for (id, _) in real { savePending(id) }
    effects.changed.formUnion(real.lazy.map(\.id))
    effects.edit = record.edit
    effects.edited = real.map(\.id)
    advance(now)
    return takeEffects()
  }

  /// Makes a document visible; false when it has been so already.
  private mutating func show(_ value: TransitValue?, as id: String) -> Bool {
    if let value { return visible.updateValue(value, forKey: id) != value }
    return visible.removeValue(forKey: id) != nil
  }

  private mutating func edit(_ id: String, _ value: StoredValue?, _ now: Int64) {
    if var edit = pending[id] {
      edit.edit = record.edit
      edit.value = value
      pending[id] = edit
      if value == edit.base && inFlightEdits[id] == nil && edit.atomic == nil && edit.openConflict == nil
        && edit.sent.isEmpty
      {
        // Undone before it was ever sent.
        drop(id, .accepted(version: edit.baseVersion), now)
      } else if edit.openConflict != nil {
        ask(id)
      }
      return
    }
    let document = base[id]
    pending[id] = PendingEdit(
      firstEdit: record.edit, edit: record.edit,
      baseVersion: document?.value == nil ? 0 : document?.version ?? 0,
      base: document?.value, value: value, atomic: nil, made: now)
    queue.append(id)
  }

  /// Binds documents together, and with them what they are bound to already.
  private mutating func join(_ ids: [String]) {
    var members = Set(ids.filter { pending[$0] != nil })
    for group in Set(members.compactMap { pending[$0]?.atomic }) {
      members.formUnion(atomicGroups.removeValue(forKey: group) ?? [])
    }
    guard members.count > 1 else { return }
    atomicGroups[record.edit] = members
    for id in members.sorted() {
      pending[id]?.atomic = record.edit
      savePending(id)
    }
  }

  // MARK: What all parts share

  mutating func savePending(_ id: String) {
    guard let edit = pending[id] else { return }
    effects.batch.put(settings.keys.pending(id), edit.row)
  }

  /// Writes the atom's row with this event's batch, once.
  mutating func saveRecord() { isRecordDirty = true }

  /// Ends a document's pending edit with a verdict on all of it.
  mutating func drop(_ id: String, _ verdict: Verdict, _ now: Int64) {
    guard let edit = pending.removeValue(forKey: id) else { return }
    merging[id] = nil
    openConflicts.remove(id)
    leaveAtomicGroup(id, edit)
    effects.batch.delete(settings.keys.pending(id))
    settle(id, edit.edit, verdict, now)
    refresh(id)
  }

  mutating func leaveAtomicGroup(_ id: String, _ edit: PendingEdit) {
    guard let group = edit.atomic else { return }
    atomicGroups[group]?.remove(id)
    guard let rest = atomicGroups[group], !rest.isEmpty else {
      atomicGroups[group] = nil
      return
    }
    for id in rest.sorted() { queue.append(id) }  // this one may have held them
  }

  mutating func settle(_ id: String, _ edit: Int64, _ verdict: Verdict, _ now: Int64) {
    effects.batch.put(settings.keys.verdict(id, edit), verdict.row(noticed: now))
    saveRecord()
    effects.settled.append(.init(id: id, edit: edit, verdict: verdict))
    if verdict.isAccepted, rejections.removeValue(forKey: id) != nil {
      effects.batch.delete(settings.keys.rejected(id))
    }
  }

  /// Makes the visible value of a document what base and pending say.
  mutating func refresh(_ id: String) {
    let value = pending[id].map(\.value) ?? base[id]?.value
    if show(value?.value, as: id) { effects.changed.insert(id) }
  }

  mutating func setBase(_ id: String, _ document: BaseDocument) {
    base[id] = document
    if let value = document.value {
      effects.batch.put(settings.keys.base(id), document.row(value.payload))
    } else {
      effects.batch.delete(settings.keys.base(id))
    }
  }
}
