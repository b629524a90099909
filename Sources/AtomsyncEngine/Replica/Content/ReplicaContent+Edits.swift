internal import AtomsyncCore
internal import HashTreeCollections

extension ReplicaContent {
  /// Takes a swap: the documents that it changed, as they are to be.
  ///
  /// - Parameter isAtomic: the changes reach the server together or not at all.
  /// - Throws: ``SyncError`` (`invalidDocument`) when more documents would go together than a push can hold.
  /// - Returns: the documents that have other values now.
  mutating func edit(
    _ changes: [(id: String, value: StoredValue?)], isAtomic: Bool
  ) throws(SyncError) -> Set<String> {
    if isAtomic { try checkSize(ofGroup: changes.map(\.id)) }
    var edited: Set<String> = []
    for (id, value) in changes where edit(id, value, record.edit + 1) { edited.insert(id) }
    guard !edited.isEmpty else { return [] }
    record.edit += 1
    if isAtomic && edited.count > 1 { join(edited.sorted()) }
    output.changed.formUnion(edited)
    return edited
  }

  /// - Returns: false when the document has this value already.
  private mutating func edit(_ id: String, _ value: StoredValue?, _ number: Int64) -> Bool {
    let isResetting = record.isResetting
    let made = documents.update(id) { [now] document -> (edit: PendingEdit, isUndone: Bool)? in
      guard document.visible?.value != value?.value else { return nil }
      var edit = document.pending ?? PendingEdit(on: document.base, first: number, made: now)
      edit.edit = number
      edit.value = value
      edit.isReseal = false
      document.pending = edit
      // Of a base that has moved, or may have, nothing can be undone.
      let isBase = !isResetting && value == edit.base && value == document.base?.value
      return (edit, isBase && edit.canBeUndone)
    }
    guard let (edit, isUndone) = made else { return false }
    if isUndone && inFlightEdits[id] == nil {
      drop(id, .accepted(version: edit.baseVersion))
      return true
    }
    output.batch.put(settings.keys.pending(id), edit.row)
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

  private func atomicGroups(of ids: [String]) -> Set<Int64> {
    Set(ids.compactMap { documents[$0]?.pending?.atomic })
  }

  private func checkSize(ofGroup ids: [String]) throws(SyncError) {
    let count = atomicGroups.count(ids, joining: atomicGroups(of: ids))
    if count > settings.documentsPerPush {
      throw SyncError(
        .invalidDocument,
        "\(count) documents would have to go together, with those that atomic swaps have bound to them already; "
          + "a push has at most \(settings.documentsPerPush). Sync first, or swap fewer at once.")
    }
  }

  /// Binds documents together, and with them what they are bound to already.
  private mutating func join(_ ids: [String]) {
    let pending = ids.filter { documents[$0]?.pending != nil }
    let joined = atomicGroups.join(pending, and: atomicGroups(of: pending), as: record.edit)
    for id in joined {
      guard var edit = documents[id]?.pending else { continue }
      edit.atomic = joined.count > 1 ? record.edit : nil
      setPending(id, edit)
    }
  }
}
