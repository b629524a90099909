internal import Dispatch

/// Runs blocking calls on a thread of their own, one at a time and in order, so that they never hold up
/// Swift's cooperative threads.
///
/// A task that prefers the queue as its executor runs there, and calls of ``run(_:)`` from it do not change threads.
public final class BlockingQueue: TaskExecutor {
  private let queue: DispatchQueue
  private let mark = DispatchSpecificKey<Void>()

  /// An empty queue.
  ///
  /// - Parameter label: its name, for debuggers.
  public init(_ label: String) {
    queue = DispatchQueue(label: label)
    queue.setSpecific(key: mark, value: ())
  }

  /// Whether the caller runs on the queue.
  public var isCurrent: Bool { DispatchQueue.getSpecific(key: mark) != nil }

  /// Runs `body` after everything that was handed over before it; at once when the caller runs on the queue. Cancellation does
  /// not interrupt it.
  public func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    if isCurrent { return try body() }
    return try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Result { try body() }) }
    }
  }

  /// Runs a piece of a task after everything that was handed over before it.
  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
