internal import AtomsyncCore
internal import HashTreeCollections

extension ReplicaMachine {
  /// Takes a swap: the documents that it changed, as they are to be.
  ///
  /// - Parameter isAtomic: the changes reach the server together or not at all.
  /// - Throws: ``SyncError`` (`invalidDocument`) when more documents would go together than a push can hold.
  /// - Returns: the effects; without an edit number when nothing was changed, or when nothing can be any more.
  package mutating func edit(
    _ changes: [(id: String, value: StoredValue?)], isAtomic: Bool = false, now: Int64
  ) throws(SyncError) -> ReplicaEffects {
    guard end == nil else { return takeEffects() }
    if isAtomic { try checkSize(ofGroup: changes.map(\.id)) }
    var edited: Set<String> = []
    for (id, value) in changes where edit(id, value, record.edit + 1, now) { edited.insert(id) }
    guard !edited.isEmpty else { return takeEffects() }
    record.edit += 1
    if isAtomic && edited.count > 1 { join(edited) }
    effects.changed.formUnion(edited)
    effects.edit = record.edit
    effects.edited = edited
    advance(now)
    return takeEffects()
  }

  /// - Returns: false when the document has this value already.
  private mutating func edit(_ id: String, _ value: StoredValue?, _ number: Int64, _ now: Int64) -> Bool {
    let isResetting = record.isResetting
    let made = documents.update(id) { document -> (edit: PendingEdit, isUndone: Bool)? in
      guard document.shown?.value != value?.value else { return nil }
      var edit = document.pending ?? PendingEdit(on: document.base, first: number, made: now)
      edit.edit = number
      edit.value = value
      document.pending = edit
      // Of a base that has moved, or may have, nothing can be undone.
      let isBase = !isResetting && value == edit.base && value == document.base?.value
      return (edit, isBase && edit.canBeUndone)
    }
    guard let (edit, isUndone) = made else { return false }
    if isUndone && inFlightEdits[id] == nil {
      drop(id, .accepted(version: edit.baseVersion), now)
      return true
    }
    effects.batch.put(settings.keys.pending(id), edit.row)
    if edit.firstEdit == number { enqueue(id) }
    if edit.openConflict != nil { ask(id) }
    return true
  }

  /// Queues a document, and clears the queue of what is not pending any more if that is most of it.
  private mutating func enqueue(_ id: String) {
    queue.append(id)
    if queue.all.count > 2 * documents.pending.count + 64 {
      queue.keep { documents.pending[$0] != nil }
    }
  }

  private func checkSize(ofGroup ids: [String]) throws(SyncError) {
    var members = Set(ids)
    for group in Set(ids.compactMap { documents[$0]?.pending?.atomic }) {
      members.formUnion(atomicGroups[group] ?? [])
    }
    if members.count > settings.documentsPerPush {
      throw SyncError(
        .invalidDocument,
        "\(members.count) documents would have to go together, with those that atomic swaps have bound to them already; "
          + "a push has at most \(settings.documentsPerPush). Sync first, or swap fewer at once.")
    }
  }

  /// Binds documents together, and with them what they are bound to already.
  private mutating func join(_ ids: Set<String>) {
    var members = ids.filter { documents[$0]?.pending != nil }
    for group in Set(members.compactMap { documents[$0]?.pending?.atomic }) {
      members.formUnion(atomicGroups.removeValue(forKey: group) ?? [])
    }
    guard members.count > 1 else { return }
    atomicGroups[record.edit] = members
    for id in members.sorted() {
      guard var edit = documents[id]?.pending else { continue }
      edit.atomic = record.edit
      setPending(id, edit)
    }
  }

  // MARK: What all parts share

  /// Writes the atom's row with this event's batch, once.
  mutating func saveRecord() { isRecordDirty = true }

  /// Ends a document's pending edit with a verdict on all of it.
  mutating func drop(_ id: String, _ verdict: Verdict, _ now: Int64) {
    guard let edit = documents[id]?.pending else { return }
    closeReport(id, edit, verdict == .discarded ? .serverWon : .merged, now)
    change(id) { $0.pending = nil }
    merging[id] = nil
    openConflicts.remove(id)
    leaveAtomicGroup(id, edit)
    effects.batch.delete(settings.keys.pending(id))
    settle(id, edit.firstEdit...edit.edit, verdict, now)
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

  mutating func settle(_ id: String, _ edits: ClosedRange<Int64>, _ verdict: Verdict, _ now: Int64) {
    effects.batch.put(
      settings.keys.verdict(id, edits.upperBound), verdict.row(noticed: now, first: edits.lowerBound))
    saveRecord()
    effects.settled.append(.init(id: id, first: edits.lowerBound, edit: edits.upperBound, verdict: verdict))
  }

  mutating func setPending(_ id: String, _ edit: PendingEdit) {
    change(id) { $0.pending = edit }
    effects.batch.put(settings.keys.pending(id), edit.row)
  }

  mutating func setBase(_ id: String, _ document: BaseDocument) {
    change(id) { $0.base = document }
    if let value = document.value {
      effects.batch.put(settings.keys.base(id), document.row(value.payload))
    } else {
      effects.batch.delete(settings.keys.base(id))
    }
  }

  mutating func removeBase(_ id: String) {
    change(id) { $0.base = nil }
    effects.batch.delete(settings.keys.base(id))
  }

  /// The page of a tombstone has come: nothing that comes later is older. A tombstone has no row.
  mutating func forgetTombstone(_ id: String) { change(id) { $0.base = nil } }

  /// Changes what is known of a document, and notes whether that is to be seen.
  private mutating func change(_ id: String, _ body: (inout KnownDocument) -> Void) {
    let isSeen = documents.update(id) { document in
      let before = document
      body(&document)
      return document != before
    }
    if isSeen { effects.changed.insert(id) }
  }
}
