internal import AtomsyncCore
internal import DequeModule

/// Holds what one reader has not taken yet. With a `merge` that is one item at most: a slow reader costs no memory and still misses nothing
/// but intermediate states. Without, it is every item.
final class Mailbox<Item: Sendable>: Sendable {
  private struct State {
    var items: Deque<Item> = []
    var reader: CheckedContinuation<Item?, Never>?
    /// Which call of `next` the reader that waits is, and how many there have been.
    var waiting = 0
    var calls = 0
    var isFinished = false
  }
  private let state = Lock(State())
  private let merge: (@Sendable (_ waiting: Item, _ new: Item) -> Item)?

  init(_ first: Item? = nil, merge: (@Sendable (_ waiting: Item, _ new: Item) -> Item)?) {
    self.merge = merge
    if let first { state.withLock { $0.items = [first] } }
  }

  func put(_ item: Item) {
    let reader = state.withLock { state -> CheckedContinuation<Item?, Never>? in
      guard !state.isFinished else { return nil }
      if let reader = state.reader {
        state.reader = nil
        return reader
      }
      if let merge, let waiting = state.items.popLast() {
        state.items.append(merge(waiting, item))
      } else {
        state.items.append(item)
      }
      return nil
    }
    reader?.resume(returning: item)
  }

  /// The reader gets what is waiting, then `nil`.
  func finish() {
    let reader = state.withLock { state -> CheckedContinuation<Item?, Never>? in
      state.isFinished = true
      defer { state.reader = nil }
      return state.reader
    }
    reader?.resume(returning: nil)
  }

  /// The next item; `nil` once finished, or when the task is cancelled. One reader at a time: a second one gets
  /// `nil`.
  func next() async -> Item? {
    let call = state.withLock { state in
      state.calls += 1
      return state.calls
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let (isNow, item) = state.withLock { state -> (Bool, Item?) in
          if let item = state.items.popFirst() { return (true, item) }
          if state.isFinished || Task.isCancelled || state.reader != nil { return (true, nil) }
          state.reader = continuation
          state.waiting = call
          return (false, nil)
        }
        if isNow { continuation.resume(returning: item) }
      }
    } onCancel: {
      let reader = state.withLock { state -> CheckedContinuation<Item?, Never>? in
        guard state.waiting == call else { return nil }  // it was not us who waited
        defer { state.reader = nil }
        return state.reader
      }
      reader?.resume(returning: nil)
    }
  }
}
