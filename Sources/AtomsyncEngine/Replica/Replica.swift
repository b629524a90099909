package import AtomsyncCore
internal import Foundation
internal import HashTreeCollections
internal import Logging
internal import Transit

/// Drives a ``ReplicaMachine``: runs the actions that it asks for, and tells it what came of them. It decides nothing.
///
/// All state is behind one lock, and no code of the application's runs under it. Rows are handed to the commit queue
/// under the lock, so that they become durable in the order of the events.
package final class Replica: CommitQueue.Client {
  struct State {
    var machine: ReplicaMachine
    var tasks = ReplicaTasks()
    var status: SyncStatus
    var saves: [(ticket: Int64, promise: Promise<Void>)] = []
    var confirmations: [ConfirmationWait] = []
    /// Verdicts whose rows are not durable yet: until then nobody is told.
    var verdicts: [(ticket: Int64, settled: ReplicaEffects.Settled)] = []
    var passes: [Promise<Void>] = []
    var storageError: StorageError?
    var nextRetry: Date?
    var swaps: SwapLog

    /// Tells those who wait the verdicts that are durable.
    mutating func confirm(through ticket: Int64) {
      let durable = verdicts.prefix { $0.ticket <= ticket }
      guard !durable.isEmpty else { return }
      for (_, settled) in durable { for wait in confirmations { wait.take(settled) } }
      verdicts.removeFirst(durable.count)
      confirmations.removeAll { $0.isComplete }
    }

    mutating func takeReleases() -> DeferredReleases {
      DeferredReleases(tasks: tasks.takeCancelled(), swaps: swaps.takeOld())
    }
  }

  /// Tells this replica from every other, also of those that have ended.
  private let number = UInt64.random(in: 0 ... .max)
  package let name: String
  package let group: String
  package let policy: ConflictPolicy
  package let configuration: AtomsyncConfiguration
  package let transport: (any Transport)?
  let sealing: DocumentSealing
  private let rows: RowSealing?
  /// The store, which shows this atom's rows as they are when they are not sealed.
  let storage: any Storage
  let state: Lock<State>
  let changes = Broadcast<ValueChange> { $0.followed(by: $1) }
  let statuses = Broadcast<SyncStatus> { $1 }
  let conflictUpdates = Broadcast<[Conflict]> { $0 + $1 }
  let firstAttempt = Promise<Void>()
  let keys: ReplicaKeys
  private let queue: CommitQueue

  /// Opens an atom. O(documents)
  ///
  /// - Throws: `StorageError`, ``SyncError`` (`wrongGroup`, `encrypted`).
  package init(
    name: String, group: String, policy: ConflictPolicy, configuration: AtomsyncConfiguration,
    storage: any Storage, queue: CommitQueue, transport: (any Transport)?, encryption: Encryption? = nil
  ) async throws {
    let sealing = DocumentSealing(encryption, group: group)
    let rows = try await RowSealing.open(storage, atom: name, group: group, encryption)
    let storage = rows.map { SealedStorage(storage: storage, rows: $0) } ?? storage
    let settings = ReplicaMachine.Settings(
      group: group, atom: name, policy: policy, limits: configuration.limits,
      retention: configuration.retentionMilliseconds, sealing: sealing)
    let snapshot = try await storage.read(ReplicaMachine.loadQuery(settings))
    let (machine, effects) = try ReplicaMachine.load(
      settings, snapshot, client: UUID(), now: configuration.now().milliseconds)
    self.name = name
    self.group = group
    self.policy = policy
    self.configuration = configuration
    self.sealing = sealing
    self.rows = rows
    self.storage = storage
    self.queue = queue
    self.transport = transport
    self.keys = settings.keys
    self.state = Lock(
      State(machine: machine, status: machine.status(), swaps: SwapLog(since: machine.lastEdit)))
    state.withLock { perform(effects, &$0, before: nil) }
    startMaintenance()
    if transport == nil { firstAttempt.complete(.success(())) } else { handle(.connect) }
  }

  deinit { release() }  // an atom that was dropped without a `close()` leaves no connection behind

  // MARK: Events

  func handle(_ event: ReplicaEvent, preparing prepare: (inout State) -> Void = { _ in }) {
    let now = configuration.now().milliseconds
    let releases = state.withLock { state in
      prepare(&state)
      let before = watchedValue(state)
      perform(state.machine.handle(event, now: now), &state, before: before)
      return state.takeReleases()
    }
    releases.release()
  }

  /// The value, to be looked at or changed.
  package func snapshot() -> SnapshotOverlay {
    state.withLock {
      SnapshotOverlay($0.machine.visible, .init(atom: number, revision: $0.machine.revision))
    }
  }

  /// Takes a swap that was made on a revision.
  ///
  /// - Returns: the edit's number and ticket; `nil` when the value has changed meanwhile.
  /// - Throws: ``SyncError`` (`stopped`, `invalidDocument`).
  package func edit(
    _ changes: [(id: String, value: StoredValue?)], revision: Int, isAtomic: Bool, swap: SwapLog.Swap?
  ) throws -> (edit: Int64, documents: Set<String>, ticket: Int64)? {
    for (id, value) in changes where value != nil {
      if let problem = sealing.problem(id: id) { throw SyncError(.invalidDocument, problem) }
    }
    let now = configuration.now().milliseconds
    let (numbers, releases) = try state.withLock {
      state -> ((edit: Int64, documents: Set<String>, ticket: Int64)?, DeferredReleases?) in
      if let end = state.machine.end { throw SyncError.stopped(end) }
      guard state.machine.revision == revision else { return (nil, nil) }
      let before = watchedValue(state)
      let effects = try state.machine.edit(changes, isAtomic: isAtomic, now: now)
      if case .rebase = policy.kind, let edit = effects.edit {
        state.swaps.append(swap, edit, effects.edited)
      }
      perform(effects, &state, before: before)
      return ((effects.edit ?? 0, effects.edited, state.machine.lastTicket), state.takeReleases())
    }
    releases?.release()
    return numbers
  }

  // MARK: Effects

  /// The value if anybody watches it. Not otherwise: while it is held, a change copies what it touches.
  private func watchedValue(_ state: borrowing State) -> DocumentTree? {
    changes.hasSubscribers ? state.machine.visible : nil
  }

  /// Does what an event asks for. Under the lock: nothing in it waits, or calls the application.
  private func perform(_ effects: ReplicaEffects, _ state: inout State, before: DocumentTree?) {
    if let ticket = effects.ticket { queue.enqueue(effects.batch, ticket, for: self) }
    if let before, !effects.changed.isEmpty {
      changes.send(
        ValueChange(
          ids: effects.changed, old: SnapshotOverlay(before), new: SnapshotOverlay(state.machine.visible)))
    }
    if !effects.conflicts.isEmpty { conflictUpdates.send(effects.conflicts) }
    for settled in effects.settled {
      state.swaps.settle(settled.id, settled.first...settled.edit)
      if !state.confirmations.isEmpty { state.verdicts.append((state.machine.lastTicket, settled)) }
    }
    for action in effects.actions { perform(action, &state) }
    publishStatus(&state)
  }

  private func publishStatus(_ state: inout State) {
    var status = state.machine.status()
    status.nextRetry = status.connection == .waiting ? state.nextRetry : nil
    status.lastStorageError = state.storageError?.description
    guard status != state.status else { return }
    state.status = status
    if statuses.hasSubscribers { statuses.send(status.naming(state.machine.pending)) }
  }

  // MARK: The commit queue

  package func stored(_ batch: StorageBatch) throws -> StorageBatch { try rows?.sealed(batch) ?? batch }

  package func committed(through ticket: Int64) {
    // All under one lock: who begins to wait in between would be told by nobody.
    let now = configuration.now().milliseconds
    let (promises, releases) = state.withLock { state in
      state.storageError = nil
      let before = watchedValue(state)
      perform(state.machine.handle(.saved(ticket: ticket), now: now), &state, before: before)
      state.confirm(through: ticket)
      let done = state.saves.filter { $0.ticket <= ticket }.map(\.promise)
      if !done.isEmpty { state.saves.removeAll { $0.ticket <= ticket } }
      return (done, state.takeReleases())
    }
    releases.release()
    for promise in promises { promise.complete(.success(())) }
  }

  package func commitFailed(_ error: StorageError) {
    let now = configuration.now().milliseconds
    let (saves, confirmations, releases) = state.withLock { state in
      state.storageError = error
      publishStatus(&state)
      defer { state.saves = [] }
      guard error.code == .closed else {
        return (state.saves.map(\.promise), [ConfirmationWait](), DeferredReleases())
      }
      // No verdict will be durable any more.
      defer { (state.confirmations, state.verdicts) = ([], []) }
      let before = watchedValue(state)
      perform(state.machine.handle(.storeLost, now: now), &state, before: before)
      return (state.saves.map(\.promise), state.confirmations, state.takeReleases())
    }
    releases.release()
    for promise in saves { promise.complete(.failure(SyncError(error))) }
    for wait in confirmations { wait.promise.complete(.failure(SyncError(error))) }
  }
}

/// Objects whose end may run code of the application's: to be released once the lock is free.
struct DeferredReleases {
  var tasks: [Task<Void, Never>] = []
  var swaps: [SwapLog.Swap] = []

  /// The swaps go with the last copy of this.
  func release() { for task in tasks { task.cancel() } }
}

/// A change of an atom's value.
package struct ValueChange: Sendable {
  /// The documents that changed.
  package var ids: Set<String>
  package var old: SnapshotOverlay
  package var new: SnapshotOverlay
  /// The value as it was when somebody subscribed, perhaps with changes since: it is no change, and everybody is told of it.
  package var isFirst = false

  func followed(by next: ValueChange) -> ValueChange {
    ValueChange(ids: ids.union(next.ids), old: old, new: next.new, isFirst: isFirst)
  }
}
