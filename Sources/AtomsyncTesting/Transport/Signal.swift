internal import AtomsyncCore

/// Something that happens once, and those who wait for it.
final class Signal: Sendable {
  private struct State {
    var hasFired = false
    var waiting: [Int: CheckedContinuation<Void, any Error>] = [:]
    var next = 0
  }
  private let state = Lock(State())

  func fire() {
    let waiting = state.withLock { state in
      state.hasFired = true
      defer { state.waiting = [:] }
      return Array(state.waiting.values)
    }
    for continuation in waiting { continuation.resume() }
  }

  /// - Throws: `CancellationError` when the task is cancelled first.
  func wait() async throws {
    let number = state.withLock { state in
      state.next += 1
      return state.next
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let result = state.withLock { state -> Result<Void, any Error>? in
          if state.hasFired { return .success(()) }
          if Task.isCancelled { return .failure(CancellationError()) }
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
