public import AtomsyncCore

extension Authority {
  /// The pages of a group as they come, for code in the server's own process: what is there, and then every change.
  ///
  /// ```swift
  /// for try await page in authority.changes(in: "todo") {
  ///   for document in page.documents { index.update(document) }
  ///   try checkpoint.save(page.cursor)
  /// }
  /// ```
  ///
  /// ## Behavior
  /// - A page is read when it is asked for: whoever is slow reads later, and costs no memory. A document that changed several times meanwhile
  ///   comes once, as it is then.
  /// - A page with `isReset` begins anew, because the cursor cannot be continued.
  /// - The sequence ends when the authority closes; it throws `CancellationError` when its task is cancelled, and `StorageError`.
  ///
  /// - Parameters:
  ///   - group: the group to follow.
  ///   - cursor: where to go on, from an earlier page; `nil` for the beginning.
  public func changes(in group: String, after cursor: Cursor? = nil) -> AuthorityChanges {
    AuthorityChanges(authority: self, request: PullRequest(group: group, cursor: cursor))
  }
}

/// See ``Authority/changes(in:after:)``.
public struct AuthorityChanges: AsyncSequence, Sendable {
  /// One page of the group.
  public typealias Element = PullPage

  let authority: Authority
  let request: PullRequest

  /// An iterator that begins at the cursor. Each has a place of its own.
  public func makeAsyncIterator() -> Iterator {
    // Before the first page, so that no commit between the two is missed.
    Iterator(authority: authority, request: request, news: authority.notifier.subscribe(to: [request.group]))
  }

  /// Reads the pages, one after the other.
  public struct Iterator: AsyncIteratorProtocol {
    private let authority: Authority
    private var request: PullRequest
    private let subscription: Subscription
    private var hasMore = true

    /// Ends with the iterator.
    private final class Subscription: Sendable {
      let news: ChangeSubscription
      init(_ news: ChangeSubscription) { self.news = news }
      deinit { news.finish() }
    }

    init(authority: Authority, request: PullRequest, news: ChangeSubscription) {
      self.authority = authority
      self.request = request
      subscription = Subscription(news)
    }

    /// Waits for the next page; `nil` once the authority has closed.
    ///
    /// - Throws: `CancellationError`; `StorageError`; `ProtocolError` for a group's name that is not valid.
    public mutating func next() async throws -> PullPage? {
      while true {
        if !hasMore, await subscription.news.next() == nil {
          try Task.checkCancellation()
          return nil
        }
        let page: PullPage
        do { page = try await authority.pull(request) } catch let error as StorageError {
          if error.code == .closed { return nil }
          throw error
        }
        hasMore = page.hasMore
        request.start = .cursor(page.cursor)
        if !page.documents.isEmpty || page.isReset { return page }
      }
    }
  }
}
