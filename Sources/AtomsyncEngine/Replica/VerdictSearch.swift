package import AtomsyncCore

/// Finds the verdict on one edit of a document: the row of the first verdict from there on that is on it.
///
/// Rows are by the last edit that they are on. Mostly the first one is it; but of edits that were made while a push was
/// under way, some may have fallen before what was pushed had its verdict, so that an earlier edit's row comes later.
package struct VerdictSearch {
  private let edit: Int64
  private var range: KeyRange?
  package private(set) var verdict: Verdict?
  private static let rowsPerLook = 4

  package init(_ keys: ReplicaKeys, _ edit: Int64, of id: String) {
    self.edit = edit
    range = keys.verdicts(id, from: edit)
  }

  /// What to read next; `nil` at the end.
  package var scan: StorageScan? { range.map { StorageScan($0, limit: Self.rowsPerLook) } }

  /// - Throws: `StorageError` when a row cannot be read.
  package mutating func advance(_ result: StorageScanResult) throws {
    for entry in result.entries {
      let row = try VerdictRow(entry.value)
      guard row.firstEdit <= edit else { continue }
      verdict = row.verdict
      range = nil
      return
    }
    if result.isComplete { range = nil }
    if let last = result.entries.last?.key { range?.lower = last + [0] }
  }
}
