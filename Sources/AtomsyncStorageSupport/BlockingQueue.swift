internal import Dispatch

/// Runs blocking calls on a thread of their own, one at a time and in order, so that they never hold up
/// Swift's cooperative threads.
public final class BlockingQueue: Sendable {
  private let queue: DispatchQueue

  /// An empty queue.
  ///
  /// - Parameter label: its name, for debuggers.
  public init(_ label: String) {
    self.queue = DispatchQueue(label: label)
  }

  /// Runs `body` after everything that was handed over before it. Cancellation does not interrupt it.
  public func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Result { try body() }) }
    }
  }
}
