/// The tasks that a replica has running: at most one request, one live stream and one timer.
struct ReplicaTasks {
  private var request: Task<Void, Never>?
  private var deadline: Task<Void, Never>?
  private var live: (stream: Int, task: Task<Void, Never>, gate: LiveGate)?
  private var timer: Task<Void, Never>?
  var upkeep: Task<Void, Never>?
  private var cancelled: [Task<Void, Never>] = []

  mutating func setRequest(_ task: Task<Void, Never>, deadline: Task<Void, Never>) {
    cancel(request, self.deadline)
    request = task
    self.deadline = deadline
  }

  mutating func setTimer(_ task: Task<Void, Never>) {
    cancel(timer)
    timer = task
  }

  mutating func setLive(_ stream: Int, _ task: Task<Void, Never>, _ gate: LiveGate) {
    closeLive()
    live = (stream, task, gate)
  }

  mutating func closeLive(_ stream: Int? = nil) {
    guard let live, stream == nil || live.stream == stream else { return }
    cancelled.append(live.task)
    self.live = nil
  }

  func readOn(_ stream: Int) {
    if let live, live.stream == stream { live.gate.open() }
  }

  mutating func cancelAll() {
    cancel(request, deadline, timer, upkeep)
    closeLive()
  }

  /// The tasks to cancel once the lock is released: a cancellation runs other people's code.
  mutating func takeCancelled() -> [Task<Void, Never>] {
    defer { cancelled = [] }
    return cancelled
  }

  private mutating func cancel(_ tasks: Task<Void, Never>?...) {
    cancelled.append(contentsOf: tasks.compactMap { $0 })
  }
}

/// Lets a live stream's reader through, once for each page.
struct LiveGate: Sendable {
  private let stream: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation

  init() { (stream, continuation) = AsyncStream.makeStream(of: Void.self) }

  func open() { continuation.yield() }

  /// - Throws: `CancellationError` when the reader's task is cancelled.
  func pass() async throws {
    for await _ in stream { return }
    throw CancellationError()
  }
}
