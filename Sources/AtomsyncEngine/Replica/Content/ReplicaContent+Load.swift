internal import AtomsyncCore
internal import Foundation
internal import HashTreeCollections

extension ReplicaContent {
  /// What to read from the store to begin with.
  static func loadQuery(_ settings: Settings) -> StorageQuery {
    let keys = settings.keys
    return StorageQuery(
      keys: [keys.atomRow, keys.inFlight, keys.formerAtomRow, keys.formerInFlight],
      scans: [.base, .pending, .rejected].map { StorageScan(keys.all($0)) } + [
        // The newest, as many as are kept in memory.
        StorageScan(keys.all(.conflict), byteLimit: max(1, settings.conflictBytes), reverse: true)
      ])
  }

  /// Takes what a snapshot of ``loadQuery(_:)`` holds. O(documents)
  ///
  /// - Throws: `StorageError` (`corrupt`, `newerFormat`), `TransitError`; ``SyncError`` with `wrongGroup`.
  mutating func load(_ snapshot: StorageSnapshot) throws {
    guard snapshot.values.count == 4, snapshot.scans.count == 4 else {
      throw StorageError(.failed, "The storage did not answer what was asked.")
    }
    try loadRecord(snapshot.values)
    try loadDocuments(base: snapshot.scans[0].entries, pending: snapshot.scans[1].entries)
    try checkInFlight()
    let keys = settings.keys
    for entry in snapshot.scans[2].entries {
      guard let id = keys.id(in: entry.key) else { continue }
      rejections[id] = try RejectedEdit(document: id, row: entry.value)
    }
    for entry in snapshot.scans[3].entries.reversed() {
      guard let number = TupleKey.trailingNumber(entry.key), Int64.counts.contains(number) else {
        continue
      }
      record.conflict = max(record.conflict, number)
      let row = try ConflictRow(number: number, row: entry.value)
      conflicts.append(row)
      // Edits of store format 1 do not name their reports.
      if row.conflict.isOpen, let edit = documents[row.conflict.document]?.pending, edit.openReport == nil {
        documents.update(row.conflict.document) { $0.pending?.openReport = number }
      }
    }
    skipNumbers()
  }

  private mutating func loadRecord(_ rows: [[UInt8]?]) throws {
    let keys = settings.keys
    if let row = rows[0] {
      record = try AtomRecord(row)
      recordState = .saved
    } else if let row = rows[2] {
      record = try AtomRecord(positional: row)
      output.batch.delete(keys.formerAtomRow)
      recordState = .now
    }
    if let row = rows[1] {
      setInFlight(try FrozenPush(row: row))
    } else if let row = rows[3] {
      let push = try FrozenPush(positional: row)
      setInFlight(push)
      output.batch.put(keys.inFlight, push.row)
      output.batch.delete(keys.formerInFlight)
    }
    try record.check(group: settings.group)
    try record.check(settings.sealing.encryption)
    if record.take(settings.sealing.encryption) { recordState = .now }
    if record.group == nil {
      record.group = settings.group
      if recordState == .saved { recordState = .withNextRows }
    }
  }

  /// The edits in flight are pending, and the push has a number that was given: or else verdicts would meet edits that
  /// are not there.
  private func checkInFlight() throws {
    guard let push = inFlight else { return }
    let hasNumber = push.ticket.client != record.client || push.ticket.number <= record.push
    let arePending = inFlightEdits.allSatisfy { id, edit in
      documents[id]?.pending.map { ($0.firstEdit...$0.edit).contains(edit) } ?? false
    }
    guard arePending && hasNumber else {
      throw StorageError(
        .corrupt,
        "The store's rows contradict each other: a push is under way that its other rows do not know. Restore the store "
          + "from a backup.")
    }
  }

  private mutating func loadDocuments(base: [StorageEntry], pending: [StorageEntry]) throws {
    let keys = settings.keys
    for entry in base {
      guard let id = keys.id(in: entry.key) else { continue }
      let document = try BaseDocument(row: entry.value)
      documents.update(id) { $0.base = document }
      noteSeal(of: id, document)
    }
    var edits: [(edit: Int64, id: String)] = []
    for entry in pending {
      guard let id = keys.id(in: entry.key) else { continue }
      let edit = try PendingEdit(row: entry.value)
      documents.update(id) { $0.pending = edit }
      if let group = edit.atomic { atomicGroups.add(id, to: group) }
      record.edit = max(record.edit, edit.edit)
      edits.append((edit.firstEdit, id))
    }
    for (_, id) in edits.sorted(by: { $0 < $1 }) { queue.append(id) }
  }

  /// Edits that an earlier process numbered may be lost with it: no number is given twice, so that nobody takes the
  /// verdict on another edit for the one on theirs. The step is random, because nothing is written when an atom is
  /// opened.
  private mutating func skipNumbers() { record.edit += 1 + Int64(editStep) }

  /// Finds the conflicts that were open at the end: edits that are not on top of the base.
  mutating func reopenConflicts() {
    // Without the whole content there is no base to compare with: it was withdrawn, or is being read.
    guard !record.isResetting, record.hasSynced else { return }
    for id in pendingIDs where inFlightEdits[id] == nil {
      guard let document = documents[id], let edit = document.pending else { continue }
      // The version alone says nothing: a server that was restored gives it to another value.
      let version = document.base?.value == nil ? 0 : document.base?.version
      if edit.baseVersion != version ?? 0 || edit.base != document.base?.value { rebase(id) }
    }
  }
}
