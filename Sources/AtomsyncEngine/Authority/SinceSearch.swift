internal import AtomsyncCore
internal import Foundation

/// Finds the sequence at which a moment begins: a bisection of the change index, whose dates do not fall, except after
/// a wrong clock. Then it finds one of the places at which they pass the moment, before which everything is older.
///
/// O(log counter) reads. They need no common snapshot, because documents only ever move to the end.
struct SinceSearch {
  private let group: String
  private let moment: Int64
  /// Dates after this one say nothing; whoever looks goes on beyond them.
  private let skippingAfter: Int64
  private var low: Int64 = 0  // everything up to here is older than the moment
  private var high: Int64  // nothing beyond here needs to be looked at

  init(group: String, moment: Int64, head: GroupHead, skippingAfter: Int64 = .max) {
    self.group = group
    self.moment = moment
    self.skippingAfter = skippingAfter
    self.high = head.counter
  }

  /// What to read next; `nil` once ``position`` is known.
  var query: StorageQuery? {
    guard low < high else { return nil }
    let range = AuthorityKey.changes(group, after: middle - 1)
    return StorageQuery(scans: [StorageScan(range, limit: 1)])
  }

  /// The sequence after which everything written at the moment or later lies.
  var position: Int64 { low }

  mutating func advance(_ snapshot: StorageSnapshot) throws {
    guard let entry = snapshot.scans.first?.entries.first, let found = TupleKey.trailingNumber(entry.key)
    else {
      high = middle - 1
      return
    }
    let updated = try Document(change: entry.value).updated
    if updated >= moment && updated <= skippingAfter {
      high = middle - 1
    } else {
      low = max(found, middle)
    }
    if low > high { high = low }
  }

  private var middle: Int64 { low + (high - low + 1) / 2 }
}
