internal import AtomsyncCore

/// The live streams that are open, whose watches are all looked at by one task.
final class OpenStreams: Sendable {
  private struct State {
    var watches: [ObjectIdentifier: StreamWatch] = [:]
    var looking: Task<Void, Never>?
  }

  private let state = Lock(State())
  private let interval: Duration

  init(_ configuration: HTTPServerConfiguration) {
    let shortest = min(configuration.heartbeat, configuration.stallTimeout)
    interval = max(min(shortest / 4, .seconds(1)), .milliseconds(1))
  }

  func enter(_ watch: StreamWatch) {
    state.withLock { state in
      state.watches[ObjectIdentifier(watch)] = watch
      if state.looking == nil { state.looking = Task { await self.look() } }
    }
  }

  func leave(_ watch: StreamWatch) {
    state.withLock { $0.watches[ObjectIdentifier(watch)] = nil }
  }

  /// Until no stream is open.
  private func look() async {
    while true {
      try? await ContinuousClock().sleep(for: interval)
      let watches = state.withLock { state in
        if state.watches.isEmpty { state.looking = nil }
        return Array(state.watches.values)
      }
      if watches.isEmpty { return }
      let now = MonotonicTime.now
      for watch in watches { watch.look(now) }
    }
  }
}
