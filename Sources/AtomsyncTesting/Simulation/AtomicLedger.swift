/// The atomic swaps of a replica in one life, and whether their parts went the same way. A crash may take swaps and
/// verdicts with it, so each life has a ledger of its own.
struct AtomicLedger {
  private var swaps: [Int64: Set<String>] = [:]
  private var fallen: Set<Int64> = []
  private var verdicts: [String: [ClosedRange<Int64>]] = [:]

  mutating func add(_ edit: Int64, _ ids: Set<String>) { if ids.count > 1 { swaps[edit] = ids } }

  /// Takes a verdict on some edits of a document: on those that have none yet.
  ///
  /// - Returns: an atomic swap of which another part has fallen before, if this one is accepted.
  mutating func take(_ id: String, _ edits: ClosedRange<Int64>, isAccepted: Bool) -> Int64? {
    let earlier = verdicts[id] ?? []
    verdicts[id, default: []].append(edits)
    let parts = swaps.filter { swap, ids in
      edits.contains(swap) && ids.contains(id) && !earlier.contains { $0.contains(swap) }
    }.keys
    if isAccepted { return parts.first { fallen.contains($0) } }
    fallen.formUnion(parts)
    return nil
  }
}
