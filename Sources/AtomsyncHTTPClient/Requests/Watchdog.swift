internal import AtomsyncCore

/// Ends an operation that waits for its peer for too long.
struct Watchdog: Sendable {
  private let state = Lock<ContinuousClock.Instant?>(nil)
  private let end: ContinuousClock.Instant?
  private let shortest: Duration

  /// What is waited for must come within this time; asked anew with each wait.
  func wait(atMost duration: Duration) { state.withLock { $0 = .now + duration } }

  /// Nothing is waited for.
  func rest() { state.withLock { $0 = nil } }

  /// Runs `operation`; when a wait takes too long it is cancelled, and `TransportError` with `timedOut` thrown.
  ///
  /// - Parameters:
  ///   - shortest: no wait is shorter.
  ///   - total: a time for the whole operation; `nil` for an operation that may last.
  static func guarding<Value: Sendable>(
    shortest: Duration, total: Duration? = nil,
    _ operation: @escaping @Sendable (Watchdog) async throws -> Value
  ) async throws -> Value {
    let watchdog = Watchdog(end: total.map { .now + $0 }, shortest: shortest)
    return try await withThrowingTaskGroup(of: Value?.self) { group in
      group.addTask { try await operation(watchdog) }
      group.addTask {
        try await watchdog.run()
        return nil
      }
      defer { group.cancelAll() }
      while let result = try await group.next() {
        if let value = result { return value }
      }
      throw CancellationError()
    }
  }

  private init(end: ContinuousClock.Instant?, shortest: Duration) {
    self.end = end
    self.shortest = shortest
  }

  private func run() async throws {
    while true {
      let deadline = [state.withLock { $0 }, end].compactMap(\.self).min()
      guard let deadline, deadline <= .now else {
        // A wait that begins during this sleep cannot end before it does.
        let next = ContinuousClock.now + shortest
        try await ContinuousClock().sleep(until: deadline.map { min($0, next) } ?? next)
        continue
      }
      throw TransportError(.timedOut, "The server did not answer in time.")
    }
  }
}
