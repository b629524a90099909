internal import AtomsyncCore
internal import Foundation

extension RowSealing {
  /// Makes an atom's rows what an encryption says: sealed by its newest key, or plain. O(rows) when they are not; O(1)
  /// otherwise.
  ///
  /// Everything that speaks against opening the atom is found before anything is changed. While rows are changed, the atom's
  /// own row is sealed and says so: whoever opens the atom after an interruption goes on, in whichever direction is wanted then.
  ///
  /// - Returns: how its rows are sealed; `nil` when they are not.
  /// - Throws: ``SyncError`` (`encrypted`, `wrongGroup`), `StorageError`.
  static func open(
    _ storage: any Storage, atom: String, group: String, _ encryption: Encryption?
  ) async throws -> RowSealing? {
    let keys = ReplicaKeys(atom: atom)
    let found = try await storage.read([keys.atomRow, keys.formerAtomRow])
    guard let encryption else {
      if found[0]?.first == format { throw sealedStore }
      return nil
    }
    let sealed = try found[0].flatMap { row in
      row.first == format
        ? try content(StorageEntry(key: keys.atomRow, value: row), encryption.cipher, atom) : nil
    }
    var record = try (sealed?.row ?? found[0]).map { try AtomRecord($0) }
    if found[0] == nil { record = try found[1].map { try AtomRecord(positional: $0) } }
    try record?.check(group: group)
    try record?.check(encryption)
    guard sealed != nil || encryption.sealsStore else { return nil }

    let rows = RowSealing(encryption.cipher, atom: atom, secret: sealed?.id ?? UUID().uuidString)
    let isCurrent = found[0].flatMap { sealKey(of: $0) } == encryption.cipher.keyID
    if let record, isCurrent, encryption.sealsStore, !record.isConverting { return rows }
    let isNew = record == nil
    var changed = record ?? AtomRecord(client: UUID())
    changed.group = group
    _ = changed.take(encryption)
    if !isNew {
      changed.isConverting = true
      try await rows.write(changed, storage, isSealed: true)
      try await rows.convert(storage, toSealed: encryption.sealsStore)
      changed.isConverting = false
    }
    try await rows.write(changed, storage, isSealed: encryption.sealsStore, deleting: keys.formerAtomRow)
    return encryption.sealsStore ? rows : nil
  }

  private static var sealedStore: SyncError {
    SyncError(.encrypted, "The atom is encrypted, in this store too: open it with its key.")
  }

  private func write(
    _ record: AtomRecord, _ storage: any Storage, isSealed: Bool, deleting former: [UInt8]? = nil
  ) async throws {
    let entry = StorageEntry(key: atomRow, value: record.bytes)
    var batch = StorageBatch(writes: [.put(entry.key, isSealed ? try sealed(entry).value : entry.value)])
    if let former { batch.delete(former) }
    _ = try await storage.commit(batch)
  }

  // MARK: The other rows

  /// The rows that one commit makes others of.
  private static let rowsAtOnce = 500

  private func convert(_ storage: any Storage, toSealed: Bool) async throws {
    for space in [Space.base, .pending, .inFlight, .rejected, .conflict, .verdict, .formerInFlight] {
      if toSealed { try await convert(storage, plainRange(space)) { try sealed($0) } }
      try await convert(storage, sealedRange(space)) { entry in
        if !toSealed { return try opened(entry) }
        return Self.sealKey(of: entry.value) == cipher.keyID ? nil : try sealed(try opened(entry))
      }
    }
  }

  /// - Parameter body: what a row becomes; `nil` for what it is.
  private func convert(
    _ storage: any Storage, _ range: KeyRange, _ body: (StorageEntry) throws -> StorageEntry?
  ) async throws {
    var rest = range
    while true {
      let page = try await storage.scan(StorageScan(rest, limit: Self.rowsAtOnce, byteLimit: 4 << 20))
      var batch = StorageBatch()
      for entry in page.entries {
        guard let converted = try body(entry) else { continue }
        if converted.key != entry.key { batch.delete(entry.key) }
        batch.put(converted.key, converted.value)
      }
      if !batch.writes.isEmpty { _ = try await storage.commit(batch) }
      guard !page.isComplete, let last = page.entries.last?.key else { return }
      rest.lower = last + [0]
    }
  }
}
