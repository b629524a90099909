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
