package import AtomsyncCore
internal import Foundation

/// Removes a group's tombstones up to a sequence, raising the horizon and the version floor in the same commit: a step
/// of it, and the steps that follow.
package struct PurgeWork: GroupWork {
  package let group: String
  /// Tombstones beyond this sequence stay.
  private let boundary: Int64
  /// And so do those from the first young change on, whatever clock the one at the boundary was dated by.
  private let dates: PurgeDates
  private let start: Int64
  private var stored: [UInt8]?
  package private(set) var readHead = GroupHead()
  private var batch = StorageBatch()
  private var reached: Int64?
  private let entries: Int
  fileprivate static let bytesPerStep = 4 << 20

  /// - Parameter entries: how many changes a step looks at.
  package init(group: String, boundary: Int64, _ dates: PurgeDates, entries: Int = 1000) {
    self.init(group: group, boundary: boundary, dates, entries: entries, start: 0)
  }

  private init(group: String, boundary: Int64, _ dates: PurgeDates, entries: Int, start: Int64) {
    self.group = group
    self.boundary = boundary
    self.dates = dates
    self.entries = entries
    self.start = start
  }

  package var query: StorageQuery {
    StorageQuery(
      keys: [AuthorityKey.head(group)],
      scans: [
        StorageScan(
          AuthorityKey.changes(group, after: start), limit: entries, byteLimit: Self.bytesPerStep)
      ])
  }

  package mutating func judge(_ snapshot: StorageSnapshot, _ context: TurnContext) throws {
    stored = snapshot.values.first ?? nil
    readHead = try GroupHead(stored)
    batch = StorageBatch(preconditions: [GroupHead.isUnchanged(group, stored)])
    reached = nil
    var head = readHead
    guard let scan = snapshot.scans.first else { return }
    var position = start
    for entry in scan.entries {
      guard let sequence = TupleKey.trailingNumber(entry.key), sequence <= boundary else { break }
      let document = try Document(change: entry.value)
      if dates.isYoung(document.updated) { break }
      position = sequence
      guard document.content == .deleted else { continue }
      batch.delete(entry.key)
      batch.delete(AuthorityKey.document(group, document.id))
      head.floor = max(head.floor, document.version)
      head.horizon = max(head.horizon, sequence)
    }
    if !batch.writes.isEmpty {
      head.claim = nil
      batch.put(AuthorityKey.head(group), head.bytes)
    }
    let isWholePage = scan.entries.last.flatMap { TupleKey.trailingNumber($0.key) } == position
    if !scan.isComplete && isWholePage { reached = position }
  }

  package var batches: [StorageBatch] { batch.writes.isEmpty ? [] : [batch] }

  package var next: (any GroupWork)? {
    reached.map { PurgeWork(group: group, boundary: boundary, dates, entries: entries, start: $0) }
  }
}

/// Finds the sequence up to which a group's changes are older than a moment: O(log counter) reads, which need no common
/// snapshot, because documents only ever move to the end.
///
/// A change whose date says nothing is as old as its neighbours.
package struct PurgeBoundary {
  private var search: SinceSearch
  private let group: String
  private let dates: PurgeDates
  /// Once the search has ended: the last change with a date that can be believed is looked for from here backwards.
  private var position: Int64?
  /// The result.
  package private(set) var boundary: Int64?
  private static let entriesPerLook = 100

  package init(group: String, head: GroupHead, _ dates: PurgeDates) {
    self.group = group
    self.dates = dates
    search = SinceSearch(group: group, moment: dates.cutoff, head: head, skippingAfter: dates.latest)
  }

  /// What to read next; `nil` once ``boundary`` is known.
  package var query: StorageQuery? {
    if boundary != nil { return nil }
    guard let position else { return search.query ?? look(from: search.position) }
    return look(from: position)
  }

  private func look(from position: Int64) -> StorageQuery {
    let all = AuthorityKey.changes(group, after: 0)
    let range = KeyRange(from: all.lower, to: AuthorityKey.change(group, position + 1))
    return StorageQuery(
      scans: [
        StorageScan(range, limit: Self.entriesPerLook, byteLimit: PurgeWork.bytesPerStep, reverse: true)
      ])
  }

  package mutating func advance(_ snapshot: StorageSnapshot) throws {
    if position == nil, search.query != nil {
      try search.advance(snapshot)
      return
    }
    guard let scan = snapshot.scans.first else { return }
    for entry in scan.entries {
      guard let sequence = TupleKey.trailingNumber(entry.key) else { continue }
      position = sequence - 1
      if dates.isOld(try Document(change: entry.value).updated) {
        boundary = sequence
        return
      }
    }
    if scan.isComplete { boundary = 0 }
  }
}
