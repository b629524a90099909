internal import AtomsyncCore

/// Wakes live readers when their group was written: a doorbell, never the news itself.
final class Hub: Sendable {
  private struct State {
    var next = 0
    var bells: [String: [Int: AsyncStream<Void>.Continuation]] = [:]
    var isClosed = false
  }
  private let state = Lock(State())

  /// Rings once for every commit to `groups` since the last look; several become one.
  func bell(for groups: [String]) -> AsyncStream<Void> {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let registration: Int? = state.withLock { state in
      if state.isClosed { return nil }
      state.next += 1
      for group in groups { state.bells[group, default: [:]][state.next] = continuation }
      return state.next
    }
    guard let registration else {
      continuation.finish()
      return stream
    }
    continuation.onTermination = { [weak self] _ in self?.remove(registration, groups) }
    return stream
  }

  func ring(_ groups: some Sequence<String>) {
    let bells = state.withLock { state in groups.flatMap { state.bells[$0].map { Array($0.values) } ?? [] } }
    for bell in bells { bell.yield() }
  }

  func ringAll() {
    ring(state.withLock { Array($0.bells.keys) })
  }

  /// Ends every stream.
  func close() {
    let bells = state.withLock { state in
      defer { state.bells = [:] }
      state.isClosed = true
      return state.bells.values.flatMap { Array($0.values) }
    }
    for bell in bells { bell.finish() }
  }

  private func remove(_ registration: Int, _ groups: [String]) {
    state.withLock { state in
      for group in groups {
        state.bells[group]?[registration] = nil
        if state.bells[group]?.isEmpty ?? false { state.bells[group] = nil }
      }
    }
  }
}
