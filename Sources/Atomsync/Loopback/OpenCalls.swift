internal import AtomsyncCore

/// Calls in progress, which can all be ended at once, whatever they wait for.
final class OpenCalls: Sendable {
  private struct State {
    var end: TransportError?
    var calls: [Int: @Sendable (TransportError) -> Void] = [:]
    var next = 0
  }
  private let state = Lock(State())

  /// Runs `body`, and leaves it behind, cancelled, when the calls are ended or the task is cancelled before it is done.
  ///
  /// - Throws: what `body` throws or the calls were ended with; `CancellationError`.
  func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    let outcome = Promise<Value>()
    let number = try state.withLock { state throws -> Int in
      if let end = state.end { throw end }
      state.next += 1
      state.calls[state.next] = { outcome.complete(.failure($0)) }
      return state.next
    }
    let call = Task {
      do { outcome.complete(.success(try await body())) } catch { outcome.complete(.failure(error)) }
    }
    defer {
      call.cancel()
      state.withLock { $0.calls[number] = nil }
    }
    return try await outcome.wait()
  }

  /// Ends every call, and each that is made from now on.
  func end(_ error: TransportError) {
    let calls = state.withLock { state in
      state.end = error
      defer { state.calls = [:] }
      return state.calls
    }
    for call in calls.values { call(error) }
  }
}
