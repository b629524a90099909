internal import AtomsyncCore
internal import Foundation

extension Authority {
  /// Removes what has outlived the retention: tombstones, the records of clients that have not pushed since, and the
  /// ends of epochs. Runs by itself every hour. What cannot be purged keeps nothing else from it. Nothing is removed
  /// under a clock that has jumped since the last time. O(documents older than the retention)
  ///
  /// - Throws: `StorageError` or `ProtocolError`, the first that there was: what was removed stays removed.
  ///   `CancellationError`.
  public func purge() async throws {
    let now = configuration.now().milliseconds
    guard try await isClockSteady(now) else { return }
    let dates = PurgeDates(now: now, retention: configuration.retentionMilliseconds)
    var failure: (any Error)?
    try await forEachPage(of: AuthorityKey.heads) { heads in
      for head in heads {
        try Task.checkCancellation()
        guard let group = TupleKey.text(in: head.key, after: 1) else { continue }
        do { try await purge(group, try GroupHead(head.value), dates) } catch { failure = failure ?? error }
      }
    }
    for range in PurgeDates.datedRows {
      try await forEachPage(of: range) { rows in
        var batches: [StorageBatch] = []
        for row in rows {
          do { if let batch = try dates.removal(of: row) { batches.append(batch) } } catch {
            failure = failure ?? error
          }
        }
        if !batches.isEmpty { _ = try await storage.commit(batches) }
      }
    }
    if let failure { throw failure }
  }

  /// Whether the clock has run on since the last look at it, in whichever process, by a week at most. One that jumps is
  /// wrong, or was; in an hour it is looked at again.
  private func isClockSteady(_ now: Int64) async throws -> Bool {
    let key = AuthorityKey.purge
    let row = try await storage.read(key)
    let last = try row.map { try PurgeRecord($0).looked }
    let known: StoragePrecondition = row.map { .equals(key, $0) } ?? .absent(key)
    // Refused, if another authority has looked meanwhile: what matters is that somebody did.
    _ = try await storage.commit(
      StorageBatch(preconditions: [known], writes: [.put(key, PurgeRecord(looked: now).bytes)]))
    return last.map { (0...Self.longestBreak).contains(now &- $0) } ?? false
  }

  /// A week, in milliseconds.
  private static let longestBreak: Int64 = 7 * 24 * 3600 * 1000

  private func purge(_ group: String, _ head: GroupHead, _ dates: PurgeDates) async throws {
    var search = PurgeBoundary(group: group, head: head, dates)
    while let query = search.query { try search.advance(try await storage.read(query)) }
    // A turn among the pushes of the group, which neither hold it up nor are held up.
    if let boundary = search.boundary, boundary > 0 {
      try await pushes.maintain(PurgeWork(group: group, boundary: boundary, dates))
    }
  }

  /// The entries of a range, a page at a time, so that a range of any length takes little memory.
  private func forEachPage(
    of range: KeyRange, _ body: ([StorageEntry]) async throws -> Void
  ) async throws {
    var rest = range
    while true {
      try Task.checkCancellation()
      let page = try await storage.scan(StorageScan(rest, limit: 1000, byteLimit: 1 << 20))
      try await body(page.entries)
      guard !page.isComplete, let last = page.entries.last?.key else { return }
      rest.lower = last + [0]
    }
  }
}
