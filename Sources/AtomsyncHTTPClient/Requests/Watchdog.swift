internal import AtomsyncCore

/// Ends an operation whose peer has been silent for too long, and tells others of its progress.
struct Watchdog: Sendable {
  private let last: Lock<ContinuousClock.Instant?> = Lock(.now)
  private let silence: Duration
  private let report: @Sendable () -> Void

  /// Something has passed between the two peers.
  func progress() {
    last.withLock { $0 = .now }
    report()
  }

  /// Nothing is waited for, until ``progress()``.
  func rest() { last.withLock { $0 = nil } }

  /// Runs `operation`; when nothing has passed for `silence` it is cancelled, and `TransportError` with `timedOut`
  /// thrown.
  ///
  /// - Parameter report: called with each progress.
  static func guarding<Value: Sendable>(
    silence: Duration, report: @escaping @Sendable () -> Void = {},
    _ operation: @escaping @Sendable (Watchdog) async throws -> Value
  ) async throws -> Value {
    let watchdog = Watchdog(silence: silence, report: report)
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

  private init(silence: Duration, report: @escaping @Sendable () -> Void) {
    self.silence = silence
    self.report = report
  }

  private func run() async throws {
    while true {
      let deadline = last.withLock { $0 }.map { $0 + silence }
      if let deadline, deadline <= .now {
        throw TransportError(.timedOut, "The server did not answer in time.")
      }
      // Whatever is waited for from now on cannot end before that.
      try await ContinuousClock().sleep(until: deadline ?? .now + silence)
    }
  }
}
