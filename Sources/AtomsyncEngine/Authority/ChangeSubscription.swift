internal import AtomsyncCore

/// The groups that have changed since the last look, each once however often it has. For one reader.
final class ChangeSubscription: Sendable {
  private let changed = Lock(Set<String>())
  private let signals: AsyncStream<Void>
  private let signal: AsyncStream<Void>.Continuation

  init() {
    (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
  }

  deinit { signal.finish() }

  /// Calls once the subscription has ended, for whatever reason.
  func onEnd(_ body: @escaping @Sendable () -> Void) { signal.onTermination = { _ in body() } }

  func add(_ group: String) {
    let isFirst = changed.withLock { changed in
      changed.insert(group)
      return changed.count == 1
    }
    if isFirst { signal.yield() }
  }

  func finish() { signal.finish() }

  /// Waits for a change. `nil`: the subscription has ended, or the task was cancelled.
  func next() async -> [String]? {
    for await _ in signals {
      let groups = changed.withLock { changed in
        defer { changed = [] }
        return Array(changed)
      }
      return groups
    }
    return nil
  }
}
