internal import AtomsyncCore
internal import Logging

extension Replica {
  /// Forgets conflicts and verdicts that have outlived the retention: now, and every day.
  func keepUp() {
    let upkeep = Task { [weak self, configuration] in
      while !Task.isCancelled {
        self?.handle(.expire)
        do { try await self?.forgetOldVerdicts() } catch {
          configuration.logger.debug(
            "Old verdicts could not be deleted; it is tried again.", metadata: ["error": "\(error)"])
        }
        do { try await configuration.time.sleep(.seconds(24 * 3600)) } catch { return }
      }
    }
    state.withLock { $0.tasks.upkeep = upkeep }
  }

  /// O(verdicts), a page at a time. Verdicts are written once, so that deleting them beside the commit queue is safe.
  private func forgetOldVerdicts() async throws {
    let oldest = configuration.time.now() - configuration.retentionMilliseconds
    var range = keys.all(.verdict)
    while true {
      try Task.checkCancellation()
      let page = try await storage.scan(StorageScan(range, limit: 1000))
      let old = try page.entries.filter { try Verdict.noticed(row: $0.value) < oldest }
      if !old.isEmpty { _ = try await storage.commit(StorageBatch(writes: old.map { .delete($0.key) })) }
      guard !page.isComplete, let last = page.entries.last?.key else { return }
      range.lower = last + [0]
    }
  }
}
