internal import AtomsyncCore
internal import Transit

/// The swaps whose edits are not settled, while the process lives: they run again when the policy is `rebase`.
package struct SwapLog {
  /// Changes documents; must depend on nothing else.
  package typealias Swap = @Sendable (inout SnapshotOverlay) throws -> Void

  private struct Document {
    var swaps: [(edit: Int64, swap: Swap)] = []
    /// Up to this edit, not every swap is in the log.
    var gap: Int64
  }
  private var documents: [String: Document] = [:]
  /// Swaps that were let go. They may be the last to hold something of the application's, whose end must not come
  /// under a lock.
  private var old: [Swap] = []
  private let since: Int64
  /// Beyond this many unsettled swaps of one document, the oldest are let go, and the merge decides.
  private static let limit = 1000

  /// - Parameter since: the last edit that an earlier process made.
  init(since: Int64) { self.since = since }

  /// - Parameter swap: `nil` for an edit that cannot be made again.
  mutating func append(_ swap: Swap?, _ edit: Int64, _ ids: Set<String>) {
    for id in ids {
      var document = documents[id] ?? Document(gap: since)
      if let swap {
        document.swaps.append((edit, swap))
        if document.swaps.count > Self.limit {
          let oldest = document.swaps.removeFirst()
          document.gap = oldest.edit
          old.append(oldest.swap)
        }
      } else {
        old += document.swaps.map(\.swap)
        document = Document(gap: edit)
      }
      documents[id] = document
    }
  }

  mutating func settle(_ id: String, _ edits: ClosedRange<Int64>) {
    guard var document = documents[id] else { return }
    old += document.swaps.lazy.filter { edits.contains($0.edit) }.map(\.swap)
    document.swaps.removeAll { edits.contains($0.edit) }
    documents[id] = document.swaps.isEmpty && document.gap <= edits.upperBound ? nil : document
  }

  /// What was let go, to be released outside every lock.
  mutating func takeOld() -> [Swap] {
    defer { old = [] }
    return old
  }

  /// The swaps that make up a conflict's local value; `nil` unless every one of them is still known.
  func swaps(of task: MergeTask) -> Rerun? {
    guard let document = documents[task.input.document], document.gap < task.firstEdit else { return nil }
    let swaps = document.swaps.filter { $0.edit >= task.firstEdit && $0.edit <= task.edit }
    return swaps.isEmpty ? nil : Rerun(swaps: swaps.map(\.swap))
  }

  struct Rerun: Sendable {
    var swaps: [Swap]

    /// The value that the swaps make of the server's.
    func rerun(_ input: MergeInput, on snapshot: DocumentTree) throws -> TransitValue? {
      var overlay = SnapshotOverlay(snapshot)
      overlay[input.document] = input.remote
      for swap in swaps { try swap(&overlay) }
      return overlay[input.document]
    }
  }
}
