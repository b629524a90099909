internal import AtomsyncCore

/// The groups that have changed since the last look, each once however often it has. For one reader.
package final class ChangeSubscription: Sendable {
  private struct State {
    var changed: Set<String> = []
    /// The reader is to look up from its waiting, though nothing has changed.
    var isPoked = false
    var isEnded = false
    var waiter: CheckedContinuation<Void, Never>?
    var onEnd: (@Sendable () -> Void)?

    var hasNews: Bool { isEnded || isPoked || !changed.isEmpty }

    /// Whom a change of the state wakes, if anybody waits.
    mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
      defer { waiter = nil }
      return waiter
    }
  }
  private let state = Lock(State())

  init() {}

  /// Calls once the subscription has ended, for whatever reason.
  func onEnd(_ body: @escaping @Sendable () -> Void) {
    let hasEnded = state.withLock { state in
      if !state.isEnded { state.onEnd = body }
      return state.isEnded
    }
    if hasEnded { body() }
  }

  func add(_ group: String) {
    let waiter = state.withLock { state in
      state.changed.insert(group)
      return state.takeWaiter()
    }
    waiter?.resume()
  }

  /// Has the reader look up from its waiting: it is told of no groups.
  package func poke() {
    let waiter = state.withLock { state in
      state.isPoked = true
      return state.takeWaiter()
    }
    waiter?.resume()
  }

  package func finish() {
    let (waiter, onEnd) = state.withLock { state in
      state.isEnded = true
      defer { state.onEnd = nil }
      return (state.takeWaiter(), state.onEnd)
    }
    waiter?.resume()
    onEnd?()
  }

  /// Waits for a change. Without groups: it was poked. `nil`: the subscription has ended, or the task was cancelled.
  nonisolated(nonsending) func next() async -> [String]? {
    if state.withLock({ !$0.hasNews }) { await wait() }
    return state.withLock { state in
      if state.isEnded { return nil }
      defer { (state.changed, state.isPoked) = ([], false) }
      return Array(state.changed)
    }
  }

  private nonisolated(nonsending) func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { waiter in
        let hasNews = state.withLock { state in
          if !state.hasNews { state.waiter = waiter }
          return state.hasNews
        }
        if hasNews { waiter.resume() }
      }
    } onCancel: {
      finish()
    }
  }
}
