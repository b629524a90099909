internal import AtomsyncCore

/// A value that only the closures given to ``run(_:)`` may touch, all of them on one queue, until it is let go.
public final class QueueConfined<Value>: Sendable {
  /// Never waited for, since the queue runs one closure at a time: it is what lets the compiler check the sharing.
  private let value: Lock<Value?>
  /// Where the value is used.
  public let queue: BlockingQueue

  /// Confines `value` to `queue`.
  public init(_ value: sending Value, on queue: BlockingQueue) {
    self.value = Lock(value)
    self.queue = queue
  }

  /// Runs `body` on the ``queue``; throws `StorageError.closed` once the value is gone.
  public func run<Result: Sendable>(
    _ body: @escaping @Sendable (Value) throws -> Result
  ) async throws -> Result {
    try await queue.run {
      try self.value.withLock { value in
        guard let value else { throw StorageError.closed }
        return try body(value)
      }
    }
  }

  /// Lets go of the value after everything that was handed over before, with a last call of `farewell`.
  public func close(_ farewell: @escaping @Sendable (Value) -> Void = { _ in }) async {
    try? await queue.run {
      self.value.withLock { value in
        if let value { farewell(value) }
        value = nil
      }
    }
  }
}
