internal import AtomsyncCore
internal import HashTreeCollections
internal import Transit

/// The swaps whose edits are not settled, while the process lives: they run again when the policy is `rebase`.
struct SwapLog {
  /// Changes a visible value; must depend on nothing else.
  typealias Swap = @Sendable (inout TreeDictionary<String, TransitValue>) throws -> Void

  private var swaps: [String: [(edit: Int64, swap: Swap)]] = [:]
  /// Beyond this many unsettled swaps of one document, the oldest are let go, and the merge decides.
  private static let limit = 1000

  mutating func append(_ swap: @escaping Swap, _ edit: Int64, _ ids: [String]) {
    for id in ids {
      swaps[id, default: []].append((edit, swap))
      if swaps[id, default: []].count > Self.limit { swaps[id]?.removeFirst() }
    }
  }

  mutating func settle(_ id: String, _ edit: Int64) {
    guard !swaps.isEmpty else { return }
    swaps[id]?.removeAll { $0.edit <= edit }
    if swaps[id]?.isEmpty ?? false { swaps[id] = nil }
  }

  /// The swaps that make up a conflict's local value; `nil` unless every one of them is still known.
  func swaps(of task: MergeTask) -> Rerun? {
    guard let log = swaps[task.input.document], log.first?.edit == task.firstEdit else { return nil }
    return Rerun(swaps: log.map(\.swap))
  }

  struct Rerun: Sendable {
    var swaps: [Swap]

    /// The value that the swaps make of the server's.
    func rerun(_ input: MergeInput, on visible: TreeDictionary<String, TransitValue>) throws -> TransitValue?
    {
      var tree = visible
      tree[input.document] = input.remote
      for swap in swaps { try swap(&tree) }
      return tree[input.document]
    }
  }
}
