package import AtomsyncCore

/// Runs `body`, but no longer than `timeout` (`nil`: as long as it takes): then it is cancelled.
///
/// - Parameter failure: what has not happened, for the error: "The atom was not ready".
/// - Throws: ``SyncError`` (`timedOut`), or what `body` throws.
package func within<Value: Sendable>(
  _ timeout: Duration?, _ clock: any Clock<Duration>, _ failure: String,
  _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
  guard let timeout else { return try await body() }
  return try await withThrowingTaskGroup(of: Value.self) { group in
    defer { group.cancelAll() }
    group.addTask { try await body() }
    group.addTask {
      try await clock.sleep(for: timeout)
      throw SyncError(.timedOut, "\(failure) within \(timeout).")
    }
    guard let value = try await group.next() else { throw CancellationError() }
    return value
  }
}

extension Promise {
  /// Waits no longer than `timeout`; see ``within(_:_:_:_:)``.
  package func wait(_ timeout: Duration?, _ clock: any Clock<Duration>, _ failure: String) async throws
    -> Value
  {
    try await within(timeout, clock, failure) { try await self.wait() }
  }
}
