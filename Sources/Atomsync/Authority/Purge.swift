package import AtomsyncCore
internal import Foundation

/// Removes what has outlived the retention: old tombstones, raising the group's horizon and version floor in the same commit, and the
/// records of clients that have not pushed since. A pure function of snapshots, like the other plans.
package struct Purge {
  let group: String
  /// What was last written before this moment goes.
  let cutoff: Int64
  private let faults: PlantedFaults
  private var sequence: Int64 = 0
  private static let step = 1000

  package init(group: String, cutoff: Int64, faults: PlantedFaults = []) {
    self.group = group
    self.cutoff = cutoff
    self.faults = faults
  }

  package var query: StorageQuery {
    StorageQuery(
      keys: [AuthorityKey.head(group)],
      scans: [
        StorageScan(AuthorityKey.changes(group, after: sequence), limit: Self.step, byteLimit: 4 << 20)
      ])
  }

  /// The batch for this step, and whether more steps follow.
  package mutating func step(_ snapshot: StorageSnapshot) throws -> (batch: StorageBatch?, hasMore: Bool) {
    guard let stored = snapshot.values.first ?? nil, let scan = snapshot.scans.first else {
      return (nil, false)
    }
    var head = try GroupHead(stored)
    var batch = StorageBatch(preconditions: [.equals(AuthorityKey.head(group), stored)])
    var isPastCutoff = false
    for entry in scan.entries {
      guard let found = TupleKey.trailingNumber(entry.key) else { continue }
      let document = try Document(change: entry.value)
      if document.updated >= cutoff {
        isPastCutoff = true
        break
      }
      sequence = found
      guard document.content == .deleted else { continue }
      batch.delete(entry.key)
      batch.delete(AuthorityKey.document(group, document.id))
      head.floor = max(head.floor, document.version)
      if !faults.contains(.purgeWithoutHorizon) { head.horizon = max(head.horizon, found) }
    }
    if !batch.writes.isEmpty { batch.put(AuthorityKey.head(group), head.bytes) }
    return (batch.writes.isEmpty ? nil : batch, !scan.isComplete && !isPastCutoff)
  }
}

extension Authority {
  /// Purges every group; returns how many batches of tombstones went.
  ///
  /// Runs by itself every hour. O(documents older than the retention).
  ///
  /// - Throws: `StorageError`.
  @discardableResult
  public func purge() async throws -> Int {
    let cutoff = configuration.time.now() - configuration.retentionMilliseconds
    var purged = 0
    for entry in try await storage.scan(StorageScan(AuthorityKey.heads)).entries {
      guard let group = TupleKey.text(in: entry.key, after: 1) else { continue }
      var purge = Purge(group: group, cutoff: cutoff)
      var hasMore = true
      while hasMore {
        try Task.checkCancellation()
        let (batch, more) = try purge.step(try await storage.read(purge.query))
        // A refused batch met a push: its tombstones wait for the next purge.
        if let batch, try await storage.commit(batch) == .committed { purged += 1 }
        hasMore = more
      }
      try await purgePushRecords(group, cutoff)
    }
    return purged
  }

  private func purgePushRecords(_ group: String, _ cutoff: Int64) async throws {
    for entry in try await storage.scan(StorageScan(AuthorityKey.pushes(group))).entries
    where try PushRecord(entry.value).judged < cutoff {
      _ = try await storage.commit(
        StorageBatch(preconditions: [.equals(entry.key, entry.value)], writes: [.delete(entry.key)]))
    }
  }
}
