internal import AtomsyncCore

/// A value that comes once, for any number of tasks that wait.
final class Promise<Value: Sendable>: Sendable {
  private struct State {
    var result: Result<Value, any Error>?
    var waiting: [Int: CheckedContinuation<Value, any Error>] = [:]
    var next = 0
  }
  private let state = Lock(State())

  /// The first word counts.
  func fulfil(_ result: Result<Value, any Error>) {
    let waiting = state.withLock { state in
      guard state.result == nil else { return [Int: CheckedContinuation<Value, any Error>]() }
      defer { state.waiting = [:] }
      state.result = result
      return state.waiting
    }
    for continuation in waiting.values { continuation.resume(with: result) }
  }

  func value() async throws -> Value {
    let number = state.withLock { state in
      state.next += 1
      return state.next
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let result: Result<Value, any Error>? = state.withLock { state in
          if Task.isCancelled { return .failure(CancellationError()) }
          if let result = state.result { return result }
          state.waiting[number] = continuation
          return nil
        }
        if let result { continuation.resume(with: result) }
      }
    } onCancel: {
      state.withLock { $0.waiting.removeValue(forKey: number) }?.resume(throwing: CancellationError())
    }
  }
}
