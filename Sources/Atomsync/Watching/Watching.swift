internal import AtomsyncCore
public import AtomsyncEngine

/// A change of an atom's value.
public struct Change<Element: Codable & Sendable>: Sendable {
  /// The documents that changed.
  public let ids: Set<String>
  /// The value before.
  public let old: Documents<Element>
  /// The value after.
  public let new: Documents<Element>
}

/// What an atom tells a watcher, one element after the other.
///
/// ## Behavior
/// - Watching begins when the sequence is asked for, not with the first `next()`: nothing in between is missed.
/// - Elements come in order. Changes wait in memory until the watcher takes them, each for itself. Values and statuses that come while it is busy
///   are one: it may miss states in between, never the last one, and a slow watcher costs no memory.
/// - The sequence ends when the atom closes. It is for one watcher: ask for another sequence to watch twice.
public struct WatchSequence<Element: Sendable>: AsyncSequence, Sendable {
  private let source: @Sendable () async -> Element?

  /// - Parameter element: `nil` for what the watcher is not told of.
  init<Item>(_ subscription: BroadcastSubscription<Item>, _ element: @escaping @Sendable (Item) -> Element?) {
    source = {
      while let item = await subscription.next() {
        if let element = element(item) { return element }
      }
      return nil
    }
  }

  /// Takes the elements, one after the other.
  public struct Iterator: AsyncIteratorProtocol {
    fileprivate let source: @Sendable () async -> Element?

    /// Waits for the next element; `nil` once the atom has closed, or when the task is cancelled.
    public mutating func next() async -> Element? { await source() }

    /// Waits for the next element, as `next()` does.
    public mutating func next(isolation actor: isolated (any Actor)?) async -> Element? { await source() }
  }

  /// An iterator. All iterators of one sequence take from the same elements.
  public func makeAsyncIterator() -> Iterator { Iterator(source: source) }
}

extension SyncedAtom {
  /// Every change of the value from now on, each for itself. Who is slow and needs only the last state watches ``values``.
  public var changes: WatchSequence<Change<Element>> {
    watching(merged: false)
  }

  /// As ``changes``; those that come while the watcher is busy are one.
  var mergedChanges: WatchSequence<Change<Element>> { watching(merged: true) }

  private func watching(merged: Bool) -> WatchSequence<Change<Element>> {
    WatchSequence(replica.subscribeToChanges(merged: merged)) { [prefix, documents] change in
      let ids = prefix.isEmpty ? change.ids : change.ids.filter { $0.begins(with: prefix) }
      return ids.isEmpty ? nil : Change(ids: ids, old: documents(change.old), new: documents(change.new))
    }
  }

  /// The value now, and after every change.
  public var values: WatchSequence<Documents<Element>> {
    WatchSequence(replica.subscribeToValues()) { [prefix, documents] change in
      let isNews = change.isFirst || change.ids.contains { $0.begins(with: prefix) }
      return isNews ? documents(change.new) : nil
    }
  }

  /// The status now, and after every change of it.
  public var statuses: WatchSequence<SyncStatus> { WatchSequence(replica.subscribeToStatuses()) { $0 } }

  /// Every conflict from now on; those that come while the watcher is busy arrive together.
  public var conflictUpdates: WatchSequence<[Conflict]> {
    WatchSequence(replica.subscribeToConflicts()) { $0 }
  }

  /// Calls `body` with every change from now on, one after the other, on a task of its own.
  ///
  /// - Returns: the watch, which ends when it is cancelled or the atom closes. Keeping it is not needed.
  @discardableResult
  public func watch(_ body: @escaping @Sendable (Change<Element>) async -> Void) -> Task<Void, Never> {
    let changes = changes
    return Task { for await change in changes { await body(change) } }
  }
}
