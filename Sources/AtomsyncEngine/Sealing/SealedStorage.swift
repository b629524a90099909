internal import AtomsyncCore

/// A storage in which one atom's rows are sealed, and which shows them as they were before.
struct SealedStorage: Storage {
  let storage: any Storage
  let rows: RowSealing

  var capabilities: StorageCapabilities { storage.capabilities }

  func read(_ query: StorageQuery) async throws -> StorageSnapshot {
    var sealed = query
    sealed.keys = query.keys.map { rows.sealed($0) }
    for index in query.scans.indices { sealed.scans[index].range = rows.sealed(query.scans[index].range) }
    var snapshot = try await storage.read(sealed)
    for (index, key) in sealed.keys.enumerated() where index < snapshot.values.count {
      guard let value = snapshot.values[index] else { continue }
      snapshot.values[index] = try rows.opened(StorageEntry(key: key, value: value)).value
    }
    for index in snapshot.scans.indices {
      snapshot.scans[index].entries = try snapshot.scans[index].entries.map { try rows.opened($0) }
    }
    return snapshot
  }

  func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] {
    try await storage.commit(try batches.map { try rows.sealed($0) })
  }

  func close() async { await storage.close() }
}

extension RowSealing {
  /// The rows that one commit makes others of.
  private static let rowsAtOnce = 500

  /// Makes an atom's rows sealed ones, or plain ones again, unless they are. If it is interrupted, it goes on next time:
  /// the atom's own row comes last. O(rows), or O(1)
  ///
  /// - Throws: ``SyncError`` (`encrypted`), `StorageError`.
  func convert(_ storage: any Storage, toSealed: Bool) async throws {
    let atomRow = try await storage.read(self.atomRow)
    if let atomRow, (atomRow.first == Self.format) == toSealed { return }
    for space in [
      Space.base, .pending, .inFlight, .rejected, .conflict, .verdict, .formerAtom, .formerInFlight,
    ] {
      try await convert(storage, toSealed ? plainRange(space) : sealedRange(space), toSealed)
    }
    guard let atomRow else { return }
    let entry = StorageEntry(key: self.atomRow, value: atomRow)
    let converted = toSealed ? try sealed(entry) : try opened(entry)
    _ = try await storage.commit(StorageBatch(writes: [.put(converted.key, converted.value)]))
  }

  private func convert(_ storage: any Storage, _ range: KeyRange, _ toSealed: Bool) async throws {
    while true {
      let page = try await storage.scan(StorageScan(range, limit: Self.rowsAtOnce, byteLimit: 4 << 20))
      var batch = StorageBatch()
      for entry in page.entries {
        let converted = toSealed ? try sealed(entry) : try opened(entry)
        batch.delete(entry.key)
        batch.put(converted.key, converted.value)
      }
      if !batch.writes.isEmpty { _ = try await storage.commit(batch) }
      if page.isComplete { return }
    }
  }
}
