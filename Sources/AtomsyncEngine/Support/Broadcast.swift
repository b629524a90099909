internal import AtomsyncCore

/// Hands items to everybody who has subscribed, in order. Each subscriber has a mailbox: what comes while it is busy waits there, merged
/// into one item, or each for itself.
final class Broadcast<Item: Sendable>: Sendable {
  private struct State {
    var subscribers: [Int: Mailbox<Item>] = [:]
    var last = 0
    var isFinished = false
  }
  private let state = Lock(State())
  private let merge: @Sendable (_ waiting: Item, _ new: Item) -> Item

  init(merge: @escaping @Sendable (_ waiting: Item, _ new: Item) -> Item) { self.merge = merge }

  var hasSubscribers: Bool { state.withLock { !$0.subscribers.isEmpty } }

  /// - Parameters:
  ///   - first: an item that the subscriber gets at once.
  ///   - merged: whether what waits is merged.
  func subscribe(first: Item? = nil, merged: Bool = true) -> BroadcastSubscription<Item> {
    let mailbox = Mailbox(first, merge: merged ? merge : nil)
    let number = state.withLock { state -> Int? in
      if state.isFinished { return nil }
      state.last += 1
      state.subscribers[state.last] = mailbox
      return state.last
    }
    guard let number else {
      mailbox.finish()
      return BroadcastSubscription(mailbox) {}
    }
    return BroadcastSubscription(mailbox) { [weak self] in
      _ = self?.state.withLock { $0.subscribers.removeValue(forKey: number) }
    }
  }

  func send(_ item: Item) {
    for mailbox in state.withLock({ Array($0.subscribers.values) }) { mailbox.put(item) }
  }

  /// Ends every subscription, once its subscriber has taken what waits.
  func finish() {
    let mailboxes = state.withLock { state in
      state.isFinished = true
      defer { state.subscribers = [:] }
      return Array(state.subscribers.values)
    }
    for mailbox in mailboxes { mailbox.finish() }
  }
}

/// What one subscriber of a broadcast gets. It ends with the last reference to it.
package final class BroadcastSubscription<Item: Sendable>: Sendable {
  private let mailbox: Mailbox<Item>
  private let end: @Sendable () -> Void

  init(_ mailbox: Mailbox<Item>, end: @escaping @Sendable () -> Void) {
    self.mailbox = mailbox
    self.end = end
  }

  deinit { end() }

  /// The next item; `nil` at the end, or when the task is cancelled. One task at a time.
  package func next() async -> Item? { await mailbox.next() }
}
