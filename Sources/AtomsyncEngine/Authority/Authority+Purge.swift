package import AtomsyncCore
internal import Foundation
internal import Logging

extension Authority {
  /// Removes what has outlived the retention: tombstones, the records of clients that have not pushed since, and the
  /// ends of epochs. Runs by itself every hour. What cannot be purged keeps nothing else from it. Nothing is removed
  /// under a clock that has jumped since the last time, or was never set. O(documents older than the retention)
  ///
  /// - Throws: `StorageError` or `ProtocolError`, the first that there was: what was removed stays removed.
  ///   `CancellationError`.
  public func purge() async throws {
    let now = configuration.time.now()
    let cutoff = now - configuration.retentionMilliseconds
    guard try await isClockSteady(now), try await isClockSet(now) else { return }
    var failure: (any Error)?
    try await forEachEntry(of: AuthorityKey.heads, &failure) { entry in
      guard let group = TupleKey.text(in: entry.key, after: 1) else { return }
      try await purge(group, try GroupHead(entry.value), cutoff, now)
    }
    try await forEachEntry(of: AuthorityKey.pushes, &failure) { entry in
      guard let batch = try PushRecord.expiry(entry, cutoff: cutoff, now: now) else { return }
      _ = try await storage.commit(batch)
    }
    try await forEachEntry(of: AuthorityKey.epochs, &failure) { entry in
      guard let batch = try StoreEpoch.expiry(entry, cutoff: cutoff) else { return }
      _ = try await storage.commit(batch)
    }
    if let failure { throw failure }
  }

  /// Whether the clock has run on since the last look at it, in whichever process, by a week at most. One that jumps is
  /// wrong, or was; in an hour it is looked at again.
  private func isClockSteady(_ now: Int64) async throws -> Bool {
    let row = try await storage.read(AuthorityKey.purge)
    let last = try row.map { try PurgeRecord($0).looked }
    let known: StoragePrecondition =
      row.map { .equals(AuthorityKey.purge, $0) } ?? .absent(AuthorityKey.purge)
    let look = StorageBatch(
      preconditions: [known], writes: [.put(AuthorityKey.purge, PurgeRecord(looked: now).bytes)])
    _ = try await storage.commit(look)
    return last.map { (0...Self.longestBreak).contains(now &- $0) } ?? false
  }

  /// A week, in milliseconds.
  private static let longestBreak: Int64 = 7 * 24 * 3600 * 1000

  /// Whether this machine's clock is not far behind those under which others have begun to write.
  private func isClockSet(_ now: Int64) async throws -> Bool {
    let epochs = try await storage.scan(StorageScan(AuthorityKey.epochs)).entries
    let latest = try epochs.map { try StoreEpoch(id: .zero, $0.value).began }.max() ?? now
    if latest <= now + GroupTurn.clockTolerance { return true }
    configuration.logger.warning(
      "Nothing is purged: this machine's clock is behind the store's newest epoch. Is it set?",
      metadata: ["epoch": "\(Date(milliseconds: latest))"])
    return false
  }

  private func purge(_ group: String, _ head: GroupHead, _ cutoff: Int64, _ now: Int64) async throws {
    var search = PurgeBoundary(group: group, head: head, cutoff: cutoff, now: now)
    while let query = search.query { try search.advance(try await storage.read(query)) }
    // A turn among the pushes of the group, which neither hold it up nor are held up.
    if let boundary = search.boundary, boundary > 0 {
      try await pushes.maintain(
        PurgeWork(group: group, boundary: boundary, keeping: PurgeDates(cutoff: cutoff, now: now)))
    }
    var failure: (any Error)?
    try await forEachEntry(of: AuthorityKey.epochEnds(group), &failure) { entry in
      guard let batch = try EpochEnd.expiry(entry, cutoff: cutoff, now: now) else { return }
      _ = try await storage.commit(batch)
    }
    if let failure { throw failure }
  }

  /// Entries of a range, a page at a time, so that a range of any length takes little memory.
  ///
  /// - Parameter failure: the first error of `body`, which keeps nobody from the other entries.
  private func forEachEntry(
    of range: KeyRange, _ failure: inout (any Error)?, _ body: (StorageEntry) async throws -> Void
  ) async throws {
    var rest = range
    while true {
      try Task.checkCancellation()
      let page = try await storage.scan(StorageScan(rest, limit: 1000, byteLimit: 1 << 20))
      for entry in page.entries {
        try Task.checkCancellation()
        do { try await body(entry) } catch { failure = failure ?? error }
      }
      guard !page.isComplete, let last = page.entries.last?.key else { return }
      rest.lower = last + [0]
    }
  }
}

extension EpochEnd {
  /// What becomes of an epoch's end: it goes when it is older than the cutoff, and cursors of before it are reset from
  /// then on. One that bears a date which clocks do not reach is dated anew, or it would stay for ever.
  package static func expiry(_ entry: StorageEntry, cutoff: Int64, now: Int64) throws -> StorageBatch? {
    var batch = StorageBatch(preconditions: [.equals(entry.key, entry.value)])
    var end = try EpochEnd(entry.value)
    if end.ended < cutoff {
      batch.delete(entry.key)
    } else if end.ended > now + GroupTurn.clockTolerance {
      end.ended = now
      batch.put(entry.key, end.bytes)
    } else {
      return nil
    }
    return batch
  }
}

extension StoreEpoch {
  /// What becomes of an authority's epoch: its row goes when it is older than the cutoff. An authority that is still
  /// there begins another with its next commit.
  package static func expiry(_ entry: StorageEntry, cutoff: Int64) throws -> StorageBatch? {
    guard try StoreEpoch(id: .zero, entry.value).began < cutoff else { return nil }
    return StorageBatch(preconditions: [.equals(entry.key, entry.value)], writes: [.delete(entry.key)])
  }
}

extension PushRecord {
  /// What becomes of a record: it goes when it is older than the cutoff; one that bears a date which clocks do not
  /// reach is dated anew, or it would stay for ever.
  package static func expiry(_ entry: StorageEntry, cutoff: Int64, now: Int64) throws -> StorageBatch? {
    var batch = StorageBatch(preconditions: [.equals(entry.key, entry.value)])
    // Those of store format 1 are not looked at any more.
    guard RowReader.isTagged(entry.value) else {
      batch.delete(entry.key)
      return batch
    }
    var record = try PushRecord(entry.value)
    if record.judged < cutoff {
      batch.delete(entry.key)
    } else if record.judged > now + GroupTurn.clockTolerance {
      record.judged = now
      batch.put(entry.key, record.bytes)
    } else {
      return nil
    }
    return batch
  }
}
