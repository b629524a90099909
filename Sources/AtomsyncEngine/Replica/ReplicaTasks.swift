/// What a replica has running: requests, a live stream, and a timer of each kind.
struct ReplicaTasks {
  private var requests: [Int: Task<Void, Never>] = [:]
  private var live: (stream: Int, task: Task<Void, Never>, gate: LiveGate)?
  private var timers: [ReplicaTimer.Kind: Task<Void, Never>] = [:]
  var maintenance: Task<Void, Never>?
  private var cancelled: [Task<Void, Never>] = []

  mutating func add(_ task: Task<Void, Never>, request: Int) { requests[request] = task }

  /// A request has ended by itself.
  mutating func remove(request: Int) { requests[request] = nil }

  mutating func abandon(request: Int) { cancel(requests.removeValue(forKey: request)) }

  mutating func setTimer(_ kind: ReplicaTimer.Kind, _ task: Task<Void, Never>?) {
    cancel(timers.removeValue(forKey: kind))
    timers[kind] = task
  }

  mutating func setLive(_ stream: Int, _ task: Task<Void, Never>, _ gate: LiveGate) {
    cancel(live?.task)
    live = (stream, task, gate)
  }

  mutating func closeLive(_ stream: Int) {
    guard let live, live.stream == stream else { return }
    cancel(live.task)
    self.live = nil
  }

  func readOn(_ stream: Int) {
    if let live, live.stream == stream { live.gate.open() }
  }

  mutating func cancelAll() {
    for task in requests.values { cancel(task) }
    for task in timers.values { cancel(task) }
    cancel(live?.task)
    cancel(maintenance)
    (requests, timers, live, maintenance) = ([:], [:], nil, nil)
  }

  /// The tasks to cancel once the lock is released: a cancellation runs other people's code.
  mutating func takeCancelled() -> [Task<Void, Never>] {
    defer { cancelled = [] }
    return cancelled
  }

  private mutating func cancel(_ task: Task<Void, Never>?) {
    if let task { cancelled.append(task) }
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
