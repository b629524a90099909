internal import AtomsyncCore

/// Tells live readers which of their groups have changed; carries no data.
final class ChangeNotifier: Sendable {
  private struct State {
    var next = 0
    var readers: [String: [Int: ChangeSubscription]] = [:]
    var isClosed = false
  }
  private let state = Lock(State())

  /// Tells of all commits to `groups` from now on.
  func subscribe(to groups: [String]) -> ChangeSubscription {
    let subscription = ChangeSubscription()
    let registration: Int? = state.withLock { state in
      if state.isClosed { return nil }
      state.next += 1
      for group in groups { state.readers[group, default: [:]][state.next] = subscription }
      return state.next
    }
    if let registration {
      subscription.onEnd { [weak self] in self?.remove(registration, groups) }
    } else {
      subscription.finish()
    }
    return subscription
  }

  func notify(_ groups: some Sequence<String>) {
    let readers = state.withLock { state in
      groups.flatMap { group in (state.readers[group] ?? [:]).values.map { (group, $0) } }
    }
    for (group, reader) in readers { reader.add(group) }
  }

  func notifyAll() {
    notify(state.withLock { Array($0.readers.keys) })
  }

  /// Ends every subscription; others may follow.
  func endSubscriptions() {
    let readers = state.withLock { state in
      defer { state.readers = [:] }
      return state.readers.values.flatMap { Array($0.values) }
    }
    for reader in readers { reader.finish() }
  }

  /// Ends every subscription, and those that follow at once.
  func close() {
    state.withLock { $0.isClosed = true }
    endSubscriptions()
  }

  private func remove(_ registration: Int, _ groups: [String]) {
    state.withLock { state in
      for group in groups {
        state.readers[group]?[registration] = nil
        if state.readers[group]?.isEmpty ?? false { state.readers[group] = nil }
      }
    }
  }
}
