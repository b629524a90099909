internal import Dispatch

/// The queue on which a connection lives. libpq is called nowhere else, so that a call of its that takes long holds up
/// no thread of Swift's own.
final class PostgresQueue: SerialExecutor {
  let queue = DispatchQueue(label: "atomsync.postgres")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }

  func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

  func checkIsolated() { dispatchPrecondition(condition: .onQueue(queue)) }
}
