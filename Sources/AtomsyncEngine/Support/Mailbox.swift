internal import AtomsyncCore

/// Holds at most one item for one reader: what comes before the reader has taken it is merged into it. So a slow
/// reader costs no memory and still misses nothing but intermediate states.
final class Mailbox<Item: Sendable>: Sendable {
  private struct State {
    var item: Item?
    var reader: CheckedContinuation<Item?, Never>?
    /// Which call of `next` the reader that waits is, and how many there have been.
    var waiting = 0
    var calls = 0
    var isFinished = false
  }
  private let state = Lock(State())
  private let merge: @Sendable (_ waiting: Item, _ new: Item) -> Item

  init(_ first: Item? = nil, merge: @escaping @Sendable (_ waiting: Item, _ new: Item) -> Item) {
    self.merge = merge
    state.withLock { $0.item = first }
  }

  func put(_ item: Item) {
    let reader = state.withLock { state -> CheckedContinuation<Item?, Never>? in
      guard !state.isFinished else { return nil }
      if let reader = state.reader {
        state.reader = nil
        return reader
      }
      state.item = state.item.map { merge($0, item) } ?? item
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
          if let item = state.item {
            state.item = nil
            return (true, item)
          }
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
