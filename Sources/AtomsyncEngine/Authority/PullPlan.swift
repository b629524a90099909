package import AtomsyncCore
package import Foundation

/// A pull, step by step: which keys to read, and the page that they make. It knows no storage and no clock.
package struct PullPlan {
  let group: String
  private let identity: UUID
  private let limit: Int
  private let byteLimit: Int
  /// A pull `since` a moment looks for the moment's place first.
  private var search: Search?
  /// The page goes on from here; `nil` for a first pull that has read nothing yet.
  private var cursor: AuthorityCursor?
  /// A place that the history has to lead through, beside the cursor's.
  private var seen: HistoryPlace?
  private var isReset = false
  /// So many entries were nothing but tombstones to leave out that more are read at once.
  private var isSkipping = false
  /// The most entries that are read at once to find one that is not to be left out.
  private static let skippedAtOnce = 1000

  private indirect enum Search {
    case head(moment: Int64)
    case place(HistoryPlace, SinceSearch)
  }

  package init(_ request: PullRequest, identity: UUID, limit: Int, byteLimit: Int) {
    group = request.group
    self.identity = identity
    self.limit = limit
    self.byteLimit = byteLimit
    let seen = request.seen.map { AuthorityCursor($0) }
    let cursor = request.start.cursor.map { AuthorityCursor($0) }
    if case .since(let moment) = request.start { search = .head(moment: moment) }
    // One that cannot be read, or is of another group, is one that cannot be continued.
    if [seen, cursor].contains(where: { $0 == .some(nil) || $0.map { $0?.group != request.group } ?? false })
    {
      isReset = true
      search = nil  // a reset tells everything
    } else {
      self.cursor = cursor ?? nil
      self.seen = seen??.place
    }
  }

  private var epochs: [UUID] { [cursor?.place.epoch, seen?.epoch].compactMap(\.self) }

  package var query: StorageQuery {
    switch search {
    case nil: pageQuery
    case .head: StorageQuery(keys: [AuthorityKey.head(group)])
    case .place(_, let search): search.query ?? pageQuery
    }
  }

  private var pageQuery: StorageQuery {
    StorageQuery(
      keys: [AuthorityKey.head(group)] + epochs.map { AuthorityKey.epochEnd(group, $0) },
      scans: [
        StorageScan(
          AuthorityKey.changes(group, after: cursor?.sequence ?? 0),
          limit: isSkipping ? max(limit, Self.skippedAtOnce) : limit, byteLimit: byteLimit)
      ])
  }

  /// Takes what ``query`` has read.
  ///
  /// - Returns: the page; `nil` when ``query`` has more to read first.
  package mutating func advance(_ snapshot: StorageSnapshot, now: Int64) throws -> PullPage? {
    switch search {
    case nil: return try page(of: snapshot, now)
    case .head(let moment):
      let history = GroupHistory(head: try GroupHead(snapshot.values.first ?? nil), identity: identity)
      goOn(history.place, SinceSearch(group: group, moment: moment, head: history.head))
    case .place(let place, var search):
      try search.advance(snapshot)
      goOn(place, search)
    }
    return nil
  }

  /// The next step of a search, or the pull from the place that it has found.
  private mutating func goOn(_ place: HistoryPlace, _ search: SinceSearch) {
    self.search = .place(place, search)
    if search.query == nil {
      self.search = nil
      cursor = AuthorityCursor(group: group, place: place, sequence: search.position, began: 0)
    }
  }

  private mutating func page(of snapshot: StorageSnapshot, _ now: Int64) throws -> PullPage? {
    guard let scan = snapshot.scans.first else {
      throw StorageError(.failed, "The storage answered no scan for a pull.")
    }
    var history = GroupHistory(head: try GroupHead(snapshot.values.first ?? nil), identity: identity)
    for (epoch, row) in zip(epochs, snapshot.values.dropFirst()) { try history.addEnd(of: epoch, row) }
    let here =
      cursor ?? AuthorityCursor(group: group, place: history.place, sequence: 0, began: history.head.counter)
    guard here.canContinue(history), seen.map({ history.has($0) }) ?? true else {
      restart()
      return nil
    }

    var documents: [Document] = []
    var next = here
    next.place = history.place
    var isComplete = scan.isComplete
    for entry in scan.entries {
      guard documents.count < limit else {
        isComplete = false
        break
      }
      guard let sequence = TupleKey.trailingNumber(entry.key) else { continue }
      next.sequence = sequence
      let document = try Document(change: entry.value)
      if document.content == .deleted && sequence <= here.began && here.isFirstPull { continue }
      documents.append(document)
    }
    if isComplete { next.sequence = history.head.counter }
    if documents.isEmpty && !isComplete {
      // Nothing but tombstones that a first pull leaves out: look further, a page has a document.
      cursor = next
      isSkipping = true
      return nil
    }
    return PullPage(
      group: group, documents: documents, store: identity, cursor: next.cursor, hasMore: !isComplete,
      isReset: isReset, now: now)
  }

  /// From the beginning, because the cursor cannot be continued.
  private mutating func restart() {
    search = nil
    cursor = nil
    seen = nil
    isReset = true
  }
}

extension PullRequest.Start {
  var cursor: Cursor? { if case .cursor(let cursor) = self { cursor } else { nil } }
}
