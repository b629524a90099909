internal import AtomsyncCore

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
/// - Elements come in order. While the watcher is busy, those that come are merged into one: it may miss states in
///   between, never the last one, and keeps no more waiting than the names of what has changed, or the conflicts that
///   it has not looked at.
/// - The sequence ends when the atom closes. It is for one watcher: ask for another sequence to watch twice.
public struct WatchSequence<Element: Sendable>: AsyncSequence, Sendable {
  private let source: @Sendable () async -> Element?
  private let token: WatchToken

  init(_ token: WatchToken, _ source: @escaping @Sendable () async -> Element?) {
    self.token = token
    self.source = source
  }

  public struct Iterator: AsyncIteratorProtocol {
    fileprivate let source: @Sendable () async -> Element?
    fileprivate let token: WatchToken

    public mutating func next() async -> Element? { await source() }

    public mutating func next(isolation actor: isolated (any Actor)?) async -> Element? { await source() }
  }

  public func makeAsyncIterator() -> Iterator { Iterator(source: source, token: token) }
}

/// Ends a watch when the last copy of its sequence is gone.
final class WatchToken: Sendable {
  private let end: @Sendable () -> Void
  init(_ end: @escaping @Sendable () -> Void) { self.end = end }
  deinit { end() }
}

extension SyncedAtom {
  /// Every change of the value from now on.
  public var changes: WatchSequence<Change<Element>> {
    let box = Mailbox<TreeChange> { $0.followed(by: $1) }
    let number = replica.state.withLock { state in
      if state.machine.end == .closed { box.finish() }
      state.nextBox += 1
      state.changeBoxes[state.nextBox] = box
      return state.nextBox
    }
    let token = WatchToken { [weak replica] in
      _ = replica?.state.withLock { $0.changeBoxes.removeValue(forKey: number) }
    }
    return WatchSequence(token) {
      await box.next().map {
        Change(ids: $0.ids, old: Documents(Draft($0.old)), new: Documents(Draft($0.new)))
      }
    }
  }

  /// The value now, and after every change.
  public var values: WatchSequence<Documents<Element>> {
    let box: Mailbox<TreeChange> = replica.state.withLock { state in
      let tree = state.machine.documents.shown
      let box = Mailbox(TreeChange(ids: [], old: tree, new: tree)) { $0.followed(by: $1) }
      if state.machine.end == .closed { box.finish() }
      state.nextBox += 1
      state.changeBoxes[state.nextBox] = box
      return box
    }
    let token = WatchToken { [weak replica] in
      replica?.state.withLock { $0.changeBoxes = $0.changeBoxes.filter { $0.value !== box } }
    }
    return WatchSequence(token) { await box.next().map { Documents(Draft($0.new)) } }
  }

  /// The status now, and after every change of it.
  public var statuses: WatchSequence<SyncStatus> {
    let box: Mailbox<SyncStatus> = replica.state.withLock { state in
      let box = Mailbox(state.status.naming(state.machine.documents.pending)) { $1 }
      if state.machine.end == .closed { box.finish() }
      state.nextBox += 1
      state.statusBoxes[state.nextBox] = box
      return box
    }
    let token = WatchToken { [weak replica] in
      replica?.state.withLock { $0.statusBoxes = $0.statusBoxes.filter { $0.value !== box } }
    }
    return WatchSequence(token) { await box.next() }
  }

  /// Every conflict from now on; those that come while the watcher is busy arrive together.
  public var conflictReports: WatchSequence<[Conflict]> {
    let box = Mailbox<[Conflict]> { $0 + $1 }
    let number = replica.state.withLock { state in
      if state.machine.end == .closed { box.finish() }
      state.nextBox += 1
      state.conflictBoxes[state.nextBox] = box
      return state.nextBox
    }
    let token = WatchToken { [weak replica] in
      _ = replica?.state.withLock { $0.conflictBoxes.removeValue(forKey: number) }
    }
    return WatchSequence(token) { await box.next() }
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
