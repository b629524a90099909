internal import AtomsyncCore
internal import Logging

extension Replica {
  /// Forgets conflicts and verdicts that have outlived the retention: now, and every day.
  func startMaintenance() {
    handle(.expire)
    let maintenance = Task { [weak self, configuration] in
      while !Task.isCancelled {
        do { try await self?.forgetOldRows() } catch {
          configuration.logger.debug(
            "Old verdicts and conflicts could not be deleted; it is tried again.",
            metadata: ["error": "\(error)"])
        }
        do { try await configuration.clock.sleep(for: .seconds(24 * 3600)) } catch { return }
        self?.handle(.expire)
      }
    }
    state.withLock { $0.tasks.maintenance = maintenance }
  }

  /// O(verdicts and conflicts), a page at a time. Such rows are written once, so that deleting them beside the commit
  /// queue is safe.
  private func forgetOldRows() async throws {
    let oldest = state.withLock { $0.machine.age } - configuration.retentionMilliseconds
    try await forget(keys.all(.verdict)) { try VerdictRow($0.value).age < oldest }
    // Those in memory have gone already; here are those that memory has no room for.
    try await forget(keys.all(.conflict)) { entry in
      let row = try ConflictRow(number: 0, row: entry.value)
      return row.age < oldest && !row.conflict.isOpen
    }
  }

  private func forget(_ rows: KeyRange, where isOld: (StorageEntry) throws -> Bool) async throws {
    var rest = rows
    while true {
      try Task.checkCancellation()
      let page = try await storage.scan(StorageScan(rest, limit: 1000, byteLimit: 1 << 20))
      let old = try page.entries.filter(isOld)
      if !old.isEmpty { _ = try await storage.commit(StorageBatch(writes: old.map { .delete($0.key) })) }
      guard !page.isComplete, let last = page.entries.last?.key else { return }
      rest.lower = last + [0]
    }
  }
}
