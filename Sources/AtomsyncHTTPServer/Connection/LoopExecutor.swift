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

  /// Returns on the event loop, wherever what the task has awaited has left it.
  static func rejoin(_ loop: any EventLoop) async {
    if loop.inEventLoop { return }
    // A task goes on where it prefers to run.
    await withCheckedContinuation { continuation in loop.execute { continuation.resume() } }
  }
}
