package import AtomsyncCore
package import Foundation

/// A pull, as a pure function of one snapshot: which keys to read, and the page that they make.
package struct PullPlan {
  package enum Outcome {
    case page(PullPage)
    /// Read again, for this plan.
    case again(PullPlan)
  }

  let group: String
  private let identity: UUID
  private let limit: Int
  private let byteLimit: Int
  private var sequence: Int64 = 0
  /// `nil` until the first snapshot of a first pull.
  private var began: Int64?
  private var isReset = false

  /// From the beginning, or from a cursor. `since` is turned into a cursor first (``SinceSearch``).
  package init(group: String, cursor: Cursor?, identity: UUID, limit: Int, byteLimit: Int) {
    self.group = group
    self.identity = identity
    self.limit = limit
    self.byteLimit = byteLimit
    guard let cursor else { return }
    if let known = AuthorityCursor(cursor), known.identity == identity, known.group == group {
      sequence = known.sequence
      began = known.began
    } else {
      isReset = true
    }
  }

  package var query: StorageQuery {
    StorageQuery(
      keys: [AuthorityKey.head(group)],
      scans: [
        StorageScan(AuthorityKey.changes(group, after: sequence), limit: limit, byteLimit: byteLimit)
      ])
  }

  package func outcome(of snapshot: StorageSnapshot, now: Int64) throws -> Outcome {
    guard let scan = snapshot.scans.first else {
      throw StorageError(.failed, "The storage answered no scan for a pull.")
    }
    let head = try GroupHead(snapshot.values.first ?? nil)
    let began = self.began ?? head.counter
    let here = AuthorityCursor(identity: identity, group: group, sequence: sequence, began: began)
    guard here.canContinue(head) else { return .again(restarted) }

    var documents: [Document] = []
    var reached = sequence
    for entry in scan.entries {
      guard let sequence = TupleKey.trailingNumber(entry.key) else { continue }
      reached = sequence
      let document = try Document(change: entry.value)
      if document.content == .deleted && sequence <= began && here.isFirstPull { continue }
      documents.append(document)
    }
    if scan.isComplete { reached = head.counter }
    if documents.isEmpty && !scan.isComplete {
      // Nothing but tombstones that a first pull leaves out: look further, a page has a document.
      var further = self
      further.sequence = reached
      further.began = began
      return .again(further)
    }
    let cursor = AuthorityCursor(identity: identity, group: group, sequence: reached, began: began)
    return .page(
      PullPage(
        group: group, documents: documents, cursor: cursor.cursor, hasMore: !scan.isComplete,
        isReset: isReset, now: now))
  }

  /// The same pull from the beginning, because its cursor cannot be continued.
  private var restarted: PullPlan {
    var plan = self
    plan.sequence = 0
    plan.began = nil
    plan.isReset = true
    return plan
  }
}
