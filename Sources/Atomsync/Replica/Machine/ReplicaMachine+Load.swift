package import AtomsyncCore
package import Foundation
internal import HashTreeCollections
internal import Transit

extension ReplicaMachine {
  /// A new, empty replica.
  package init(_ settings: Settings, client: UUID) {
    self.settings = settings
    record = AtomRecord(client: client)
    pushLimit = settings.documentsPerPush
  }

  /// What to read from the store to begin with.
  package static func loadQuery(_ settings: Settings) -> StorageQuery {
    let keys = settings.keys
    return StorageQuery(
      keys: [keys.atomRow, keys.inFlight],
      scans: [.base, .pending, .rejected, .conflict].map { StorageScan(keys.all($0)) })
  }

  /// The replica that a snapshot of ``loadQuery(_:)`` holds.
  ///
  /// - Parameter client: names the replica to the server if it is new.
  /// - Throws: `StorageError` with code `corrupt`. O(documents).
  package static func load(
    _ settings: Settings, _ snapshot: StorageSnapshot, client: UUID, now: Int64
  ) throws -> (machine: ReplicaMachine, effects: ReplicaEffects) {
    guard snapshot.values.count == 2, snapshot.scans.count == 4 else {
      throw StorageError(.failed, "The storage did not answer what was asked.")
    }
    var machine = ReplicaMachine(settings, client: client)
    do { try machine.restore(snapshot) } catch let error as TransitError {
      throw StorageError(
        .corrupt, "A value in the store cannot be read. Restore the store from a backup.", cause: "\(error)")
    }
    machine.skipNumbers(client)
    machine.forgetOldConflicts(now)
    machine.reopenConflicts(now)
    return (machine, machine.takeEffects())
  }

  /// Edits that an earlier process numbered may be lost with it: no number is given twice, so that nobody takes the
  /// verdict on another edit for the one on theirs. The step is random, by the client id, because nothing is written
  /// when an atom is opened.
  private mutating func skipNumbers(_ client: UUID) {
    let step = withUnsafeBytes(of: client.uuid) { $0.loadUnaligned(as: UInt32.self) }
    record.edit += 1 + Int64(step)
  }

  /// Finds the conflicts that were open at the end: edits that are not on top of the base.
  private mutating func reopenConflicts(_ now: Int64) {
    // Without the whole content there is no base to compare with: it was withdrawn, or is being read.
    guard !record.isResetting, record.hasSynced else { return }
    for id in pendingIDs where inFlightEdits[id] == nil {
      guard let document = documents[id], let edit = document.pending else { continue }
      if edit.baseVersion != document.base?.version ?? 0 { rebase(id, now) }
    }
  }

  private mutating func restore(_ snapshot: StorageSnapshot) throws {
    let keys = settings.keys
    if let row = snapshot.values[0] { record = try AtomRecord(row) }
    if let row = snapshot.values[1] { setInFlight(try FrozenPush(row: row)) }
    for entry in snapshot.scans[0].entries {
      guard let id = keys.id(in: entry.key) else { continue }
      let document = try BaseDocument(row: entry.value)
      documents.update(id) { $0.base = document }
    }
    var edits: [(edit: Int64, id: String)] = []
    for entry in snapshot.scans[1].entries {
      guard let id = keys.id(in: entry.key) else { continue }
      let edit = try PendingEdit(row: entry.value)
      documents.update(id) { $0.pending = edit }
      if let group = edit.atomic { atomicGroups[group, default: []].insert(id) }
      record.edit = max(record.edit, edit.edit)
      edits.append((edit.firstEdit, id))
    }
    for (_, id) in edits.sorted(by: { $0 < $1 }) { queue.append(id) }
    for entry in snapshot.scans[2].entries {
      guard let id = keys.id(in: entry.key) else { continue }
      rejections[id] = try RejectedEdit(document: id, row: entry.value)
    }
    for entry in snapshot.scans[3].entries {
      guard let number = TupleKey.trailingNumber(entry.key) else { continue }
      let conflict = try Conflict(id: number, row: entry.value)
      record.conflict = max(record.conflict, number)
      conflicts.append(conflict)
      if conflict.isOpen { openReports[conflict.document] = number }
    }
  }

  mutating func setInFlight(_ push: FrozenPush?) {
    inFlight = push
    inFlightEdits = [:]
    for entry in push?.entries ?? [] { inFlightEdits[entry.id] = entry.edit }
  }
}
