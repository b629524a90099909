internal import AtomsyncCore

/// A value that comes once, and those who wait for it. Waiting ends early when the waiting task is cancelled.
final class Promise<Value: Sendable>: Sendable {
  private struct State {
    var result: Result<Value, any Error>?
    var waiting: [Int: CheckedContinuation<Value, any Error>] = [:]
    var next = 0
  }
  private let state = Lock(State())

  /// Later results than the first are ignored.
  func complete(_ result: Result<Value, any Error>) {
    let waiting = state.withLock { state -> [CheckedContinuation<Value, any Error>] in
      guard state.result == nil else { return [] }
      state.result = result
      defer { state.waiting = [:] }
      return Array(state.waiting.values)
    }
    for continuation in waiting { continuation.resume(with: result) }
  }

  func wait() async throws -> Value {
    let ticket = state.withLock { state in
      state.next += 1
      return state.next
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let result = state.withLock { state -> Result<Value, any Error>? in
          if let result = state.result { return result }
          if Task.isCancelled { return .failure(CancellationError()) }
          state.waiting[ticket] = continuation
          return nil
        }
        if let result { continuation.resume(with: result) }
      }
    } onCancel: {
      let continuation = state.withLock { $0.waiting.removeValue(forKey: ticket) }
      continuation?.resume(throwing: CancellationError())
    }
  }

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
