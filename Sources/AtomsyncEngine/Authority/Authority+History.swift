package import AtomsyncCore

extension Authority {
  /// A document, and its place in its group's order of changes.
  package struct Change: Sendable, Hashable {
    package var sequence: Int64
    package var document: Document
  }

  /// A group's newest changes, the newest first, and whether older ones follow. Of each document the last one is there, deletions
  /// included. O(limit)
  ///
  /// - Parameters:
  ///   - sequence: changes from before this one; `nil` for the newest.
  ///   - limit: the most changes. Beyond about 1 MiB there are fewer.
  /// - Throws: `ProtocolError` with `invalid-group`; `StorageError`.
  package func newestChanges(
    of group: String, before sequence: Int64?, limit: Int
  ) async throws -> (changes: [Change], isLast: Bool) {
    if let problem = Names.problem(group: group) { throw ProtocolError(.invalidGroup, problem) }
    var range = AuthorityKey.changes(group, after: 0)
    if let sequence { range.upper = AuthorityKey.change(group, max(sequence, 1)) }
    let scan = StorageScan(range, limit: limit, byteLimit: 1 << 20, reverse: true)
    let found = try await storage.read(StorageQuery(scans: [scan])).scans[0]
    let changes = try found.entries.map { entry in
      Change(sequence: TupleKey.trailingNumber(entry.key) ?? 0, document: try Document(change: entry.value))
    }
    return (changes, found.isComplete)
  }
}
