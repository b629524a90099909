internal import AtomsyncCore
internal import Foundation

/// Takes pushes as they come and runs a ``PushScheduler``'s turns, one at a time.
final class PushQueue: Sendable {
  private struct State {
    var scheduler: PushScheduler
    var pushes: [Int: CheckedContinuation<PushAnswer, any Error>] = [:]
    var maintenance: [Int: CheckedContinuation<Void, any Error>] = [:]
    var isRunning = false
    var isClosed = false
    var closers: [CheckedContinuation<Void, Never>] = []
  }

  private let state: Lock<State>
  private let storage: any Storage
  private let notifier: ChangeNotifier
  private let configuration: AtomsyncConfiguration

  /// How long a group rests that another authority got in the way of: like a replica's backoff, but short.
  private static let rest: RetryPolicy = {
    var policy = RetryPolicy()
    policy.initialDelay = .milliseconds(1)
    policy.maximumDelay = .milliseconds(64)
    return policy
  }()

  init(
    _ storage: any Storage, identity: UUID, _ notifier: ChangeNotifier, _ configuration: AtomsyncConfiguration
  ) {
    self.storage = storage
    self.notifier = notifier
    self.configuration = configuration
    state = Lock(State(scheduler: PushScheduler(identity: identity, limits: configuration.limits)))
  }

  nonisolated(nonsending) func push(_ push: PushRequest, refusing refusals: [String: String]) async throws
    -> PushAnswer
  {
    try await withCheckedThrowingContinuation { continuation in
      do {
        try enter { state throws(ProtocolError) in
          state.pushes[try state.scheduler.admit(push, refusing: refusals)] = continuation
        }
      } catch { continuation.resume(throwing: error) }
    }
  }

  /// Runs `body` on a push that does not wait for its turn yet, and counts it like those that do.
  func checking<Result>(_ push: PushRequest, _ body: () async throws -> Result) async throws -> Result {
    let bytes = push.byteCount
    try state.withLock { try $0.scheduler.reserve(bytes) }
    defer { state.withLock { $0.scheduler.release(bytes) } }
    return try await body()
  }

  /// Returns once the work and those that follow it are done.
  func maintain(_ work: any GroupWork) async throws {
    try await withCheckedThrowingContinuation { continuation in
      do {
        try enter { state in state.maintenance[state.scheduler.admit(work)] = continuation }
      } catch { continuation.resume(throwing: error) }
    }
  }

  /// Returns once everything that was taken has been answered.
  func close() async {
    await withCheckedContinuation { continuation in
      let isIdle = state.withLock { state in
        state.isClosed = true
        state.scheduler.close()
        if !state.scheduler.isIdle { state.closers.append(continuation) }
        return state.scheduler.isIdle
      }
      if isIdle { continuation.resume() }
    }
  }

  private func enter(_ admit: (inout State) throws(ProtocolError) -> Void) throws {
    let starts = try state.withLock { state in
      if state.isClosed { throw StorageError.closed }
      try admit(&state)
      defer { state.isRunning = true }
      return !state.isRunning
    }
    if starts { start() }
  }

  /// Runs turns, until nothing waits. Not where a push came from: there a turn would wait behind other pushes, before the storage and
  /// behind it. On the thread that commits, if there is one: to change threads for the reading, the commit and the way back can
  /// take as long as a flush of the disk. Otherwise ahead of long work, such as the reading of large pushes: every push
  /// waits for the turn.
  private func start() {
    Task.detached(executorPreference: storage.commitExecutor, priority: .high) {
      while let turn = self.nextTurn() {
        await self.run(turn)
        await Task.yield()  // to what else waits for that thread
      }
    }
  }

  private func nextTurn() -> Turn? {
    let (turn, closers) = state.withLock { state -> (Turn?, [CheckedContinuation<Void, Never>]) in
      if let turn = state.scheduler.next({ UUID() }) { return (turn, []) }
      state.isRunning = false
      guard state.scheduler.isIdle else { return (nil, []) }  // groups rest; who wakes them runs on
      defer { state.closers = [] }
      return (nil, state.closers)
    }
    for closer in closers { closer.resume() }
    return turn
  }

  private func run(_ first: Turn) async {
    var turn = first
    var isInDoubt = false
    do {
      turn.judge(try await storage.read(turn.query), now: configuration.now().milliseconds)
      while let query = turn.contentQuery { turn.finish(try await storage.read(query)) }
      let batches = turn.batches
      isInDoubt = !batches.isEmpty
      turn.committed(batches.isEmpty ? [] : try await storage.commit(batches))
      end { $0.end(turn) }
    } catch {
      end { [isInDoubt] in $0.end(turn, error, isInDoubt: isInDoubt) }
    }
  }

  private func end(_ body: (inout PushScheduler) -> PushScheduler.Ended) {
    let (ended, answers) = state.withLock { state in
      let ended = body(&state.scheduler)
      let answers = ended.results.map { id, result in
        (result, state.pushes.removeValue(forKey: id), state.maintenance.removeValue(forKey: id))
      }
      return (ended, answers)
    }
    for (result, push, maintenance) in answers {
      switch result {
      case .answer(let answer): push?.resume(returning: answer)
      case .done: maintenance?.resume()
      case .failure(let error):
        push?.resume(throwing: error)
        maintenance?.resume(throwing: error)
      }
    }
    // Its readers may have seen more than there is now: they open anew, and say what.
    if ended.hasLostCommits { notifier.endSubscriptions() }
    if !ended.written.isEmpty { notifier.notify(ended.written) }
    for (group, losses) in ended.resting { rest(group, losses) }
  }

  private func rest(_ group: String, _ losses: Int) {
    let delay = Self.rest.delay(attempt: losses, random: .random(in: 0..<1))
    Task.detached { [clock = configuration.clock] in
      try? await clock.sleep(for: delay)
      let starts = self.state.withLock { state in
        state.scheduler.wake(group)
        defer { state.isRunning = true }
        return !state.isRunning
      }
      if starts { self.start() }
    }
  }
}
