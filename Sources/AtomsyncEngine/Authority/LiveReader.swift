internal import AtomsyncCore

/// Follows groups for one reader: a loop of pulls, woken by commits.
///
/// Nothing is read before it is asked for, so a slow reader costs no memory; it just reads later.
package final class LiveReader {
  package enum Event: Sendable {
    case opened
    case page(SharedPage)
    case revoked(group: String)
    /// Its ``subscription`` was poked, and there is nothing new.
    case idle
  }

  /// By which others wake the reader, or end what it reads.
  package let subscription: ChangeSubscription
  private let authority: Authority
  private let pageBytes: Int
  private let admits: nonisolated(nonsending) @Sendable (String) async throws -> Bool

  /// Where each group goes on.
  private var groups: [String: PullRequest] = [:]
  /// The groups that have news, the one that is being read first.
  private var unread: ArraySlice<String>
  private var isOpened = false
  /// Whether the groups are read for the first time.
  private var isFirst = true

  init(
    _ authority: Authority, _ request: LiveRequest, pageBytes: Int,
    admits: nonisolated(nonsending) @escaping @Sendable (String) async throws -> Bool
  ) {
    self.authority = authority
    self.pageBytes = pageBytes
    self.admits = admits
    for group in request.groups { groups[group.group] = group }
    unread = request.groups.map(\.group)[...]
    // Before the first pull, so that no commit between the two is missed.
    subscription = authority.notifier.subscribe(to: Array(groups.keys))
  }

  deinit { subscription.finish() }

  /// What is next, once there is something. `nil`: the subscription has ended, or no group may be read any more.
  ///
  /// - Throws: `StorageError`; what `admits` throws; `CancellationError`.
  package nonisolated(nonsending) func next() async throws -> Event? {
    if !isOpened {
      isOpened = true
      return .opened
    }
    while true {
      if let event = try await readOn() { return event }
      if groups.isEmpty { return nil }
      isFirst = false
      guard let news = await subscription.next() else {
        try Task.checkCancellation()
        return nil
      }
      if news.isEmpty { return .idle }
      unread = news[...]
    }
  }

  /// The next page, or the end, of a group that has news; `nil` when none has.
  private nonisolated(nonsending) func readOn() async throws -> Event? {
    while let name = unread.first {
      guard var request = groups[name] else {
        unread.removeFirst()
        continue
      }
      guard try await admits(name) else {
        groups[name] = nil
        return .revoked(group: name)
      }
      let shared = try await authority.page(request, pageBytes)
      let page = shared.page
      // A first answer without documents still tells a reader that had no cursor where it stands.
      let isNews = !page.documents.isEmpty || page.isReset || (isFirst && request.start.cursor != page.cursor)
      request.start = .cursor(page.cursor)
      request.seen = nil  // the page's cursor is beyond it
      groups[name] = request
      if !page.hasMore { unread.removeFirst() }
      if isNews { return .page(shared) }
    }
    return nil
  }
}
