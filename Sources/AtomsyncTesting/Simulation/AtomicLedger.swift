/// The atomic swaps of a replica in one life, and whether their parts went the same way. A crash may take swaps and
/// verdicts with it, so each life has a ledger of its own.
struct AtomicLedger {
  private var swaps: [Int64: Set<String>] = [:]
  private var fallen: Set<Int64> = []
  /// Up to which edit each document has a verdict.
  private var settled: [String: Int64] = [:]

  mutating func add(_ edit: Int64, _ ids: Set<String>) { if ids.count > 1 { swaps[edit] = ids } }

  /// Takes a verdict on the edits of a document up to `edit`.
  ///
  /// - Returns: an atomic swap of which another part has fallen before, if this one is accepted.
  mutating func take(_ id: String, _ edit: Int64, isAccepted: Bool) -> Int64? {
    let open = swaps.filter { swap, ids in
      ids.contains(id) && swap <= edit && swap > settled[id] ?? 0
    }.keys
    settled[id] = max(settled[id] ?? 0, edit)
    if isAccepted { return open.first { fallen.contains($0) } }
    fallen.formUnion(open)
    return nil
  }
}
