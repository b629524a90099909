package import AtomsyncCore

/// What is old by its date. Dates are in milliseconds since 1970.
///
/// A date further ahead than clocks are apart was written under a wrong clock, and says nothing: a tombstone that bears
/// one is as old as its neighbours, and a row that is kept by its own date stays until that is past.
package struct PurgeDates: Sendable {
  /// What is older than this has outlived the retention.
  let cutoff: Int64
  /// Later dates say nothing.
  let latest: Int64

  package init(now: Int64, retention: Int64) {
    cutoff = now - retention
    latest = now + GroupTurn.clockTolerance
  }

  func isOld(_ date: Int64) -> Bool { date < cutoff }
  func isYoung(_ date: Int64) -> Bool { !isOld(date) && date <= latest }

  // MARK: Rows that are kept by a date of their own

  /// The records of pushes, the epochs of authorities, and where epochs ended.
  package static let datedRows = [AuthorityKey.pushes, AuthorityKey.epochs, AuthorityKey.epochEnds]

  /// Removes a row of those, if it is old and still what was read.
  ///
  /// An authority whose epoch goes begins another with its next commit. Cursors of an epoch whose end goes are reset.
  package func removal(of entry: StorageEntry) throws -> StorageBatch? {
    if let date = try date(of: entry), !isOld(date) { return nil }
    return StorageBatch(preconditions: [.equals(entry.key, entry.value)], writes: [.delete(entry.key)])
  }

  /// `nil`: the row is not looked at any more.
  private func date(of entry: StorageEntry) throws -> Int64? {
    switch entry.key.first.flatMap(Space.init) {
    case .epoch: try StoreEpoch(id: .zero, entry.value).began
    case .epochEnd: try EpochEnd(entry.value).ended
    default: RowReader.isTagged(entry.value) ? try PushRecord(entry.value).judged : nil  // store format 1
    }
  }
}
