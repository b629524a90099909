internal import AtomsyncCore

/// Signals live readers that their group has changed; carries no data.
final class ChangeNotifier: Sendable {
  private struct State {
    var next = 0
    var readers: [String: [Int: AsyncStream<Void>.Continuation]] = [:]
    var isClosed = false
  }
  private let state = Lock(State())

  /// Yields once for all commits to `groups` since the last element was taken.
  func subscribe(to groups: [String]) -> AsyncStream<Void> {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let registration: Int? = state.withLock { state in
      if state.isClosed { return nil }
      state.next += 1
      for group in groups { state.readers[group, default: [:]][state.next] = continuation }
      return state.next
    }
    guard let registration else {
      continuation.finish()
      return stream
    }
    continuation.onTermination = { [weak self] _ in self?.remove(registration, groups) }
    return stream
  }

  func notify(_ groups: some Sequence<String>) {
    let readers = state.withLock { state in
      groups.flatMap { state.readers[$0].map { Array($0.values) } ?? [] }
    }
    for reader in readers { reader.yield() }
  }

  func notifyAll() {
    notify(state.withLock { Array($0.readers.keys) })
  }

  /// Ends every stream.
  func close() {
    let readers = state.withLock { state in
      defer { state.readers = [:] }
      state.isClosed = true
      return state.readers.values.flatMap { Array($0.values) }
    }
    for reader in readers { reader.finish() }
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
