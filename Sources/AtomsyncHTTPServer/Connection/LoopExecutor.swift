internal import NIOCore

/// Runs a request's task on the event loop of its connection: to change threads takes longer than most requests.
///
/// Long work leaves it; see ``OffLoop``.
final class LoopExecutor: TaskExecutor {
  private let loop: any EventLoop

  init(_ loop: any EventLoop) { self.loop = loop }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}

/// Work that would hold up the other connections of an event loop.
enum OffLoop {
  /// Runs `body` on the threads that all tasks share.
  static func run<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result {
    try await withTaskExecutorPreference(globalConcurrentExecutor) { try await body() }
  }
}
