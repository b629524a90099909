internal import AtomsyncCore

/// What a group holds, for people who look.
package struct GroupOverview: Sendable, Hashable {
  package var name: String
  /// Documents that are there, of those that were counted.
  package var documents: Int64 = 0
  /// Deletions that are remembered, of those that were counted.
  package var tombstones: Int64 = 0
  /// The bytes of what was counted.
  package var bytes: Int64 = 0
  /// Whether everything was counted.
  package var isComplete = false
  /// When the newest change was written, in milliseconds since 1970.
  package var updated: Int64
}

/// Lists the groups of a store. What was counted once is remembered until the group changes, so that looking again and
/// again costs little.
package final class GroupOverviews: Sendable {
  private struct Known {
    var head: GroupHead
    var overview: GroupOverview
  }

  private let storage: any Storage
  private let known = Lock<[String: Known]>([:])

  /// The most groups of one answer.
  package static let pageGroups = 200
  /// How much is counted for one answer. The rest is counted for the next.
  private static let budget = (rows: 20_000, bytes: 16 << 20)
  /// The most groups that are remembered.
  private static let mostKnown = 2_000

  package init(_ authority: Authority) { storage = authority.storage }

  /// The groups that follow a name, in the order of their bytes, and whether there are more.
  ///
  /// O(patterns × groups) up to ``pageGroups``, and O(rows) up to a limit.
  ///
  /// - Parameter patterns: which groups: exact names, or a prefix followed by `*`.
  /// - Throws: `StorageError`.
  package func list(
    _ patterns: [String], after name: String?
  ) async throws -> (groups: [GroupOverview], isLast: Bool) {
    let scans = patterns.map { pattern in
      var range = AuthorityKey.heads(pattern)
      if let name {
        let next = AuthorityKey.head(name) + [0]
        if range.lower.precedes(next) { range.lower = next }
        if let upper = range.upper, upper.precedes(next) { range.lower = upper }
      }
      return StorageScan(range, limit: Self.pageGroups)
    }
    let found = try await storage.read(StorageQuery(scans: scans)).scans
    // A group may be one of several patterns.
    let heads = Dictionary(found.flatMap(\.entries).map { ($0.key, $0.value) }) { first, _ in first }
    let keys = heads.keys.sorted { $0.precedes($1) }
    var budget = Self.budget
    var groups: [GroupOverview] = []
    for key in keys.prefix(Self.pageGroups) {
      guard let name = TupleKey.text(in: key, after: 1) else { continue }
      groups.append(try await overview(of: name, GroupHead(heads[key]), &budget))
    }
    return (groups, found.allSatisfy(\.isComplete) && keys.count <= Self.pageGroups)
  }

  private func overview(
    of name: String, _ head: GroupHead, _ budget: inout (rows: Int, bytes: Int)
  ) async throws -> GroupOverview {
    if let known = known.withLock({ $0[name] }), known.head == head { return known.overview }
    var overview = GroupOverview(name: name, updated: head.updated)
    if budget.rows <= 0 || budget.bytes <= 0 { return overview }
    let isWhole = budget == Self.budget
    let scan = StorageScan(
      AuthorityKey.changes(name, after: 0), limit: budget.rows, byteLimit: budget.bytes)
    let rows = try await storage.read(StorageQuery(scans: [scan])).scans[0]
    for row in rows.entries {
      let isDeleted = try Document(change: row.value).content == .deleted
      if isDeleted { overview.tombstones += 1 } else { overview.documents += 1 }
      overview.bytes += Int64(row.key.count + row.value.count)
    }
    budget.rows -= rows.entries.count
    budget.bytes -= Int(overview.bytes)
    overview.isComplete = rows.isComplete
    // What was cut short for others' sake is counted further when it is first.
    guard overview.isComplete || isWhole else { return overview }
    known.withLock { known in
      if known.count >= Self.mostKnown { known.removeAll() }
      known[name] = Known(head: head, overview: overview)
    }
    return overview
  }
}
