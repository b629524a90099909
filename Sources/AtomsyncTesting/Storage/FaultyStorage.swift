public import AtomsyncCore

/// A storage with the accidents that a test asks for: crashes around a commit, a full disk, reads that fail,
/// and calls that hang until the test lets them go.
///
/// ```swift
/// let disk = FaultyStorage(MemoryStorage())
/// disk.plan(.crash(.torn(applied: 1)), afterCommits: 3)
/// … // the fourth commit applies its first batch and dies
/// let restarted = disk.reopened()
/// ```
///
/// ## Behavior
/// - Faults of commits happen in the order in which the commits pass ``commitGate``, each once.
/// - After a crash every call throws `failed`, until ``reopen()``, or for ever if the test goes on with
///   ``reopened()``, which is a process that was started again: tasks of the old one can no longer write.
/// - The wrapped storage is never closed, so that the store is there when the crashed one is opened again.
public final class FaultyStorage: Storage {
  /// Where in a commit the process dies.
  public enum Crash: Sendable, Hashable {
    /// Nothing of the commit is applied.
    case before
    /// The first so many batches are applied, the others are not.
    case torn(applied: Int)
    /// All is applied, and nobody hears of it.
    case after
  }

  /// What happens to a commit.
  public enum Fault: Sendable {
    /// The process dies in the commit: this and every later call throws `failed`.
    case crash(Crash)
    /// Nothing is applied and the commit throws this. The storage lives on.
    case fail(StorageError)
  }

  private struct Plan {
    var faults: [(commit: Int, fault: Fault)] = []
    var commits = 0
    var isFull = false
    var readFailures = 0
    var readError = StorageError(.failed, "A read failed, as the test asked.")
    /// Which handle lives; a reopening makes the ones before it stay dead.
    var generation = 0
    var hasCrashed = false
    var isClosed = false
  }

  /// Commits wait here while it is shut.
  public let commitGate: StorageGate
  /// Reads wait here while it is shut.
  public let readGate: StorageGate
  private let base: any Storage
  private let plan: Lock<Plan>
  private let generation: Int

  /// Wraps `base`, with no accident planned.
  public init(_ base: any Storage) {
    self.base = base
    self.plan = Lock(Plan())
    self.generation = 0
    self.commitGate = StorageGate()
    self.readGate = StorageGate()
  }

  private init(reopening other: FaultyStorage, generation: Int) {
    self.base = other.base
    self.plan = other.plan
    self.generation = generation
    self.commitGate = other.commitGate
    self.readGate = other.readGate
  }

  /// What the wrapped storage promises.
  public var capabilities: StorageCapabilities { base.capabilities }

  /// The wrapped storage's.
  public var commitExecutor: (any TaskExecutor)? { base.commitExecutor }

  // MARK: What the test asks for

  /// Has `fault` happen to the commit after `count` others from now.
  public func plan(_ fault: Fault, afterCommits count: Int = 0) {
    plan.withLock { plan in plan.faults.append((plan.commits + count + 1, fault)) }
  }

  /// While true, commits apply nothing and throw `full`. Reads work.
  public var isFull: Bool {
    get { plan.withLock { $0.isFull } }
    set { plan.withLock { $0.isFull = newValue } }
  }

  /// Has the next `count` reads throw `error`.
  public func failReads(
    _ count: Int, with error: StorageError = StorageError(.failed, "A read failed, as the test asked.")
  ) {
    plan.withLock { plan in
      plan.readFailures = count
      plan.readError = error
    }
  }

  /// How many commits were begun, over all reopenings: run a test once without faults to learn how many places
  /// there are to crash at.
  public var commitCount: Int { plan.withLock { $0.commits } }

  /// Whether a crash has happened that nobody has recovered from.
  public var hasCrashed: Bool { plan.withLock { $0.hasCrashed } }

  /// Crashes now, between two calls.
  public func crash() { plan.withLock { $0.hasCrashed = true } }

  /// Brings this very handle back after a crash or a `close()`.
  public func reopen() {
    plan.withLock { plan in
      plan.hasCrashed = false
      plan.isClosed = false
    }
  }

  /// A new handle on the same store with the same plan, as a restarted process would have it. The handles before it
  /// stay dead.
  public func reopened() -> FaultyStorage {
    let generation = plan.withLock { plan in
      plan.hasCrashed = false
      plan.isClosed = false
      plan.generation += 1
      return plan.generation
    }
    return FaultyStorage(reopening: self, generation: generation)
  }

  // MARK: Storage

  /// The values and scans, from one snapshot of the wrapped storage, unless reads are to fail.
  public func read(_ query: StorageQuery) async throws -> StorageSnapshot {
    await readGate.pass()
    try plan.withLock { plan in
      try check(plan)
      if plan.readFailures > 0 {
        plan.readFailures -= 1
        throw plan.readError
      }
    }
    let snapshot = try await base.read(query)
    try plan.withLock { try check($0) }
    return snapshot
  }

  /// Applies the batches to the wrapped storage, unless a fault is planned or the disk is full.
  public func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] {
    try plan.withLock { try check($0) }
    await commitGate.pass()
    switch try plan.withLock({ try begin(&$0) }) {
    case nil:
      let outcomes = try await base.commit(batches)
      try plan.withLock { try check($0) }
      return outcomes
    case .fail(let error): throw error
    case .crash(let crash):
      switch crash {
      case .before: break
      case .torn(let count): _ = try await base.commit(Array(batches.prefix(max(count, 0))))
      case .after: _ = try await base.commit(batches)
      }
      throw Self.crashed
    }
  }

  /// As the wrapped storage's.
  public func foreignCommits() -> AsyncStream<ForeignCommit> { base.foreignCommits() }

  /// Closes this handle and not the wrapped storage.
  public func close() async {
    plan.withLock { if $0.generation == generation { $0.isClosed = true } }
  }

  private static let crashed = StorageError(.failed, "The storage has crashed, as the test asked.")

  private func check(_ plan: Plan) throws {
    if plan.hasCrashed || plan.generation != generation { throw Self.crashed }
    if plan.isClosed { throw StorageError.closed }
  }

  /// Counts a commit and picks its fault. A crash takes everybody down from here on.
  private func begin(_ plan: inout Plan) throws -> Fault? {
    try check(plan)
    plan.commits += 1
    let number = plan.commits
    if let index = plan.faults.firstIndex(where: { $0.commit <= number }) {
      let fault = plan.faults.remove(at: index).fault
      if case .crash = fault { plan.hasCrashed = true }
      return fault
    }
    if plan.isFull {
      throw StorageError(.full, "No space is left, as the test asked. Free some by setting isFull to false.")
    }
    return nil
  }
}
