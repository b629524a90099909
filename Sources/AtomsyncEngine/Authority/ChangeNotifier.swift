internal import AtomsyncCore

/// Tells live readers which of their groups have changed; carries no data.
final class ChangeNotifier: Sendable {
  private struct State {
    /// Numbers registrations and generations, so that none is given twice.
    var next = 0
    var readers: [String: Readers] = [:]
    var isClosed = false
  }
  private struct Readers {
    var generation: Int
    var subscriptions: [Int: ChangeSubscription] = [:]
  }
  private let state = Lock(State())

  /// Tells of all commits to `groups` from now on.
  func subscribe(to groups: [String]) -> ChangeSubscription {
    let subscription = ChangeSubscription()
    let registration: Int? = state.withLock { state in
      if state.isClosed { return nil }
      state.next += 1
      let number = state.next
      for group in groups {
        state.readers[group, default: Readers(generation: number)].subscriptions[number] = subscription
      }
      return number
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
      state.next += 1
      return groups.flatMap { group in
        state.readers[group]?.generation = state.next
        return (state.readers[group]?.subscriptions ?? [:]).values.map { (group, $0) }
      }
    }
    for (group, reader) in readers { reader.add(group) }
  }

  /// A number that rises with every commit to the group before its readers are told; `nil` when it does not have several.
  func sharedGeneration(of group: String) -> Int? {
    state.withLock { state in
      state.readers[group].flatMap { $0.subscriptions.count > 1 ? $0.generation : nil }
    }
  }

  func notifyAll() {
    notify(state.withLock { Array($0.readers.keys) })
  }

  /// Ends every subscription; others may follow.
  func endSubscriptions() {
    let readers = state.withLock { state in
      defer { state.readers = [:] }
      return state.readers.values.flatMap { Array($0.subscriptions.values) }
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
        state.readers[group]?.subscriptions[registration] = nil
        if state.readers[group]?.subscriptions.isEmpty ?? false { state.readers[group] = nil }
      }
    }
  }
}
