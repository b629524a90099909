internal import AtomsyncCore
internal import Foundation
internal import HashTreeCollections
internal import Logging
internal import Transit

/// Drives a ``ReplicaMachine``: runs the actions that it asks for, and tells it what came of them.
///
/// All state is behind one lock, and no code of the application's runs under it. Rows are handed to the commit queue
/// under the lock, so that they become durable in the order of the events.
final class Replica: CommitQueue.Client {
  struct State {
    var machine: ReplicaMachine
    var tasks = ReplicaTasks()
    var changeBoxes: [Int: Mailbox<TreeChange>] = [:]
    var statusBoxes: [Int: Mailbox<SyncStatus>] = [:]
    var conflictBoxes: [Int: Mailbox<[Conflict]>] = [:]
    var nextBox = 0
    var status: SyncStatus
    var saves: [(ticket: Int64, promise: Promise<Void>)] = []
    var confirmations: [ConfirmationWait] = []
    /// Verdicts whose rows are not durable yet: until then nobody is told.
    var verdicts: [(ticket: Int64, settled: ReplicaEffects.Settled)] = []
    var passes: [Promise<Void>] = []
    var storageError: StorageError?
    var nextRetry: Int64?
    var swaps: SwapLog

    /// Tells those who wait the verdicts that are durable.
    mutating func confirm(through ticket: Int64) {
      let durable = verdicts.prefix { $0.ticket <= ticket }
      guard !durable.isEmpty else { return }
      for (_, settled) in durable { for wait in confirmations { wait.take(settled) } }
      verdicts.removeFirst(durable.count)
      confirmations.removeAll { $0.isComplete }
    }

    /// What the application's code may come to life in: to be let go of outside the lock.
    mutating func takeLeftovers() -> Leftovers {
      Leftovers(tasks: tasks.takeCancelled(), swaps: swaps.takeOld())
    }

    /// The value if anybody watches it. Not otherwise: while it is held, a change copies what it touches.
    var watchedValue: DocumentTree? { changeBoxes.isEmpty ? nil : machine.documents.shown }
  }

  /// Tells this replica from every other, also of those that have ended.
  let number = UInt64.random(in: 0 ... .max)
  let name: String
  let group: String
  let policy: ConflictPolicy
  let configuration: AtomsyncConfiguration
  let storage: any Storage
  let state: Lock<State>
  let firstAttempt = Promise<Void>()
  private let queue: CommitQueue
  let transport: (any Transport)?
  let keys: ReplicaKeys

  init(
    name: String, group: String, policy: ConflictPolicy, configuration: AtomsyncConfiguration,
    storage: any Storage, queue: CommitQueue, transport: (any Transport)?
  ) async throws {
    let settings = ReplicaMachine.Settings(
      group: group, atom: name, policy: policy, limits: configuration.limits,
      retention: configuration.retentionMilliseconds)
    let snapshot = try await storage.read(ReplicaMachine.loadQuery(settings))
    let (machine, effects) = try ReplicaMachine.load(
      settings, snapshot, client: UUID(), now: configuration.time.now())
    self.name = name
    self.group = group
    self.policy = policy
    self.configuration = configuration
    self.storage = storage
    self.queue = queue
    self.transport = transport
    self.keys = settings.keys
    self.state = Lock(
      State(machine: machine, status: machine.status(), swaps: SwapLog(since: machine.record.edit)))
    state.withLock { perform(effects, &$0, before: $0.watchedValue) }
    keepUp()
    if transport == nil { firstAttempt.complete(.success(())) } else { handle(.connect) }
  }

  deinit { letGo() }  // an atom that was dropped without a `close()` leaves no connection behind

  // MARK: Events

  func handle(_ event: ReplicaEvent, preparing prepare: (inout State) -> Void = { _ in }) {
    let now = configuration.time.now()
    let leftovers = state.withLock { state in
      prepare(&state)
      let before = state.watchedValue
      perform(state.machine.handle(event, now: now), &state, before: before)
      return state.takeLeftovers()
    }
    leftovers.letGo()
  }

  /// The value, and a number that changes with it.
  func snapshot() -> (tree: DocumentTree, revision: Int) {
    state.withLock { ($0.machine.documents.shown, $0.machine.revision) }
  }

  /// Takes a swap that was made on `revision`.
  ///
  /// - Returns: the receipt's numbers; `nil` when the value has changed meanwhile.
  func edit(
    _ changes: [(id: String, value: StoredValue?)], revision: Int, isAtomic: Bool, swap: SwapLog.Swap?
  ) throws -> (id: Receipt.ID, ticket: Int64)? {
    let now = configuration.time.now()
    let (numbers, leftovers) = try state.withLock { state -> ((id: Receipt.ID, ticket: Int64)?, Leftovers?) in
      if let end = state.machine.end { throw SyncError.stopped(end) }
      guard state.machine.revision == revision else { return (nil, nil) }
      let before = state.watchedValue
      let effects = try state.machine.edit(changes, isAtomic: isAtomic, now: now)
      if case .rebase = policy.kind, let edit = effects.edit {
        state.swaps.append(swap, edit, effects.edited)
      }
      perform(effects, &state, before: before)
      let id = Receipt.ID(edit: effects.edit ?? 0, documents: effects.edited)
      return ((id, state.machine.lastTicket), state.takeLeftovers())
    }
    leftovers?.letGo()
    return numbers
  }

  // MARK: Effects

  /// Does what an event asks for. Under the lock: nothing in it waits, or calls the application.
  private func perform(
    _ effects: ReplicaEffects, _ state: inout State, before: DocumentTree?
  ) {
    if let ticket = effects.ticket { queue.enqueue(effects.batch, ticket, for: self) }
    if let before, !effects.changed.isEmpty {
      let change = TreeChange(ids: effects.changed, old: before, new: state.machine.documents.shown)
      for box in state.changeBoxes.values { box.put(change) }
    }
    if !effects.conflicts.isEmpty {
      for box in state.conflictBoxes.values { box.put(effects.conflicts) }
    }
    for settled in effects.settled {
      state.swaps.settle(settled.id, settled.first...settled.edit)
      if !state.confirmations.isEmpty { state.verdicts.append((state.machine.lastTicket, settled)) }
    }
    for action in effects.actions { perform(action, &state) }
    publishStatus(&state)
  }

  func publishStatus(_ state: inout State) {
    var status = state.machine.status()
    status.nextRetry = status.connection == .waiting ? state.nextRetry : nil
    status.lastStorageError = state.storageError?.description
    guard status != state.status else { return }
    state.status = status
    if state.statusBoxes.isEmpty { return }
    for box in state.statusBoxes.values { box.put(status.naming(state.machine.documents.pending)) }
  }

  // MARK: The commit queue

  func committed(through ticket: Int64) {
    // All under one lock: who begins to wait in between would be told by nobody.
    let now = configuration.time.now()
    let (promises, leftovers) = state.withLock { state in
      state.storageError = nil
      let before = state.watchedValue
      perform(state.machine.handle(.saved(ticket: ticket), now: now), &state, before: before)
      state.confirm(through: ticket)
      let done = state.saves.filter { $0.ticket <= ticket }.map(\.promise)
      if !done.isEmpty { state.saves.removeAll { $0.ticket <= ticket } }
      return (done, state.takeLeftovers())
    }
    leftovers.letGo()
    for promise in promises { promise.complete(.success(())) }
  }

  func commitFailed(_ error: StorageError) {
    let now = configuration.time.now()
    let (saves, confirmations, leftovers) = state.withLock { state in
      state.storageError = error
      publishStatus(&state)
      defer { state.saves = [] }
      guard error.code == .closed else {
        return (state.saves.map(\.promise), [ConfirmationWait](), Leftovers())
      }
      // No verdict will be durable any more.
      defer { (state.confirmations, state.verdicts) = ([], []) }
      let before = state.watchedValue
      perform(state.machine.handle(.storeLost, now: now), &state, before: before)
      return (state.saves.map(\.promise), state.confirmations, state.takeLeftovers())
    }
    leftovers.letGo()
    for promise in saves { promise.complete(.failure(SyncError(error))) }
    for wait in confirmations { wait.promise.complete(.failure(SyncError(error))) }
  }
}

/// What is let go of outside the lock, because the application's code may run when it goes.
struct Leftovers {
  var tasks: [Task<Void, Never>] = []
  var swaps: [SwapLog.Swap] = []

  /// The swaps go with the last copy of this.
  func letGo() { for task in tasks { task.cancel() } }
}

/// A change of the value.
struct TreeChange: Sendable {
  var ids: Set<String>
  var old: DocumentTree
  var new: DocumentTree

  func followed(by next: TreeChange) -> TreeChange {
    TreeChange(ids: ids.union(next.ids), old: old, new: next.new)
  }
}
