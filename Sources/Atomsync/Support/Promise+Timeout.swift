internal import AtomsyncCore

extension Promise {
  /// Waits no longer than `timeout` (`nil`: as long as it takes).
  ///
  /// - Parameter doing: what is waited for, for the error: "The atom was not ready".
  func wait(_ timeout: Duration?, _ time: TimeSource, _ doing: String) async throws -> Value {
    guard let timeout else { return try await wait() }
    return try await withThrowingTaskGroup(of: Value.self) { group in
      defer { group.cancelAll() }
      group.addTask { try await self.wait() }
      group.addTask {
        try await time.sleep(timeout)
        throw SyncError(.timedOut, "\(doing) within \(timeout).")
      }
      guard let value = try await group.next() else { throw CancellationError() }
      return value
    }
  }
}
