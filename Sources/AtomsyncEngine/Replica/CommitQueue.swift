package import AtomsyncCore
internal import Logging

/// Makes the batches of a client's atoms durable, in order and grouped: while one commit is under way, all that
/// comes waits for the next, so that the cost of a durable write is shared.
///
/// A commit that fails is tried again until it succeeds or the queue is closed. It may have been applied in part, so from
/// then on its batches are one, and all that comes meanwhile joins them: to apply the first of them once more, and to
/// die before the others, would bring back rows that the others had removed. And however long the store fails, the queue
/// holds no more than the last state of each row.
package final class CommitQueue: Sendable {
  /// Who put a batch in, and is told what became of it.
  package protocol Client: AnyObject, Sendable {
    /// A batch as it is to be in the store. Called once for each, before it is committed.
    func stored(_ batch: StorageBatch) throws -> StorageBatch
    func committed(through ticket: Int64)
    func commitFailed(_ error: StorageError)
  }

  private struct Entry {
    var batch: StorageBatch
    var client: any Client
    var ticket: Int64
    /// The batch is as it is to be in the store.
    var isStored = false
  }
  private struct State {
    var waiting: [Entry] = []
    /// Somebody commits, or looks for more to commit.
    var isRunning = false
    var isCommitting = false
    /// Why batches were let go that nobody tries to save any more.
    var loss: StorageError?
    var isClosing = false
    var idle: [Promise<Void>] = []
  }

  private let state = Lock(State())
  private let storage: any Storage
  private let clock: any Clock<Duration>
  private let retry: RetryPolicy
  private let logger: Logger
  /// The most that one storage transaction takes.
  private static let batchesPerCommit = 2048
  private static let bytesPerCommit = 16 << 20
  private static let looksBeforeRest = 16

  package init(_ storage: any Storage, _ configuration: AtomsyncConfiguration) {
    self.storage = storage
    clock = configuration.clock
    retry = configuration.retry
    logger = configuration.logger
  }

  package func enqueue(_ batch: StorageBatch, _ ticket: Int64, for client: any Client) {
    let (starts, loss) = state.withLock { state -> (Bool, StorageError?) in
      if let loss = state.loss { return (false, loss) }
      state.waiting.append(Entry(batch: batch, client: client, ticket: ticket))
      defer { state.isRunning = true }
      return (!state.isRunning, nil)
    }
    // Later, because the client is in the middle of something.
    if let loss { Task.detached { client.commitFailed(loss) } }
    // Not on behalf of the swap that starts it: it serves all that come after.
    if starts { Task.detached { await self.run() } }
  }

  /// Waits until everything that is in the queue now is durable; throws when the store fails first.
  package func flush(timeout: Duration?) async throws {
    let barrier = Barrier()
    let isNeeded = try state.withLock { state in
      if let loss = state.loss { throw SyncError(loss) }
      guard state.isCommitting || !state.waiting.isEmpty else { return false }
      state.waiting.append(Entry(batch: StorageBatch(), client: barrier, ticket: 0))
      return true
    }
    guard isNeeded else { return }
    try await barrier.promise.wait(timeout, clock, "Earlier changes were not durable")
  }

  private final class Barrier: Client {
    let promise = Promise<Void>()
    func stored(_ batch: StorageBatch) -> StorageBatch { batch }
    func committed(through ticket: Int64) { promise.complete(.success(())) }
    func commitFailed(_ error: StorageError) { promise.complete(.failure(SyncError(error))) }
  }

  /// Waits until everything is durable; gives up with the store's error if it fails once more.
  package func close() async throws {
    let promise = Promise<Void>()
    let isIdle = try state.withLock { state in
      if let loss = state.loss { throw SyncError(loss) }
      state.isClosing = true
      if state.isRunning { state.idle.append(promise) }
      return !state.isRunning
    }
    if !isIdle { try await promise.wait() }
  }

  private func run() async {
    while let entries = await upcoming() {
      guard await commit(entries) else { return }
    }
  }

  /// Tries until it succeeds; false once there is no sense in trying again.
  private func commit(_ taken: [Entry]) async -> Bool {
    var entries = taken
    for attempt in 1... {
      do {
        try Self.store(&entries)
        _ = try await storage.commit(entries.map(\.batch))
        for (client, ticket) in Self.lastTickets(entries) { client.committed(through: ticket) }
        break
      } catch {
        let error = error as? StorageError ?? StorageError(.failed, "The store failed.", cause: "\(error)")
        if attempt == 1 {
          logger.error("Changes cannot be saved; it is tried again.", metadata: ["error": "\(error)"])
        }
        entries = Self.merged(entries + takeWaiting())
        for (client, _) in Self.lastTickets(entries) { client.commitFailed(error) }
        if let rest = giveUp(error) {
          for (client, _) in Self.lastTickets(rest) { client.commitFailed(error) }
          return false
        }
        try? await clock.sleep(for: retry.delay(attempt: attempt, random: 0))
        entries = Self.merged(entries + takeWaiting())
      }
    }
    return true
  }

  /// What the next commit takes; `nil` when the queue stays empty. It is looked at a few times first, because a new
  /// runner costs the swap that starts it the waking of a thread, which is more than all the rest of it.
  private func upcoming() async -> [Entry]? {
    for _ in 0..<Self.looksBeforeRest {
      let entries = next(endsIfEmpty: false)
      if !entries.isEmpty { return entries }
      await Task.yield()
    }
    let entries = next(endsIfEmpty: true)
    return entries.isEmpty ? nil : entries
  }

  private func next(endsIfEmpty: Bool) -> [Entry] {
    let (entries, idle) = state.withLock { state -> ([Entry], [Promise<Void>]) in
      state.isCommitting = !state.waiting.isEmpty
      guard state.isCommitting else {
        state.isRunning = !endsIfEmpty
        defer { state.idle = [] }
        return ([], state.idle)
      }
      var bytes = 0
      let end = state.waiting.prefix(Self.batchesPerCommit).firstIndex { entry in
        bytes += entry.batch.byteCount
        return bytes > Self.bytesPerCommit
      }
      let count = max(1, end ?? min(state.waiting.count, Self.batchesPerCommit))
      if count == state.waiting.count {
        defer { state.waiting = [] }
        return (state.waiting, [])
      }
      defer { state.waiting.removeFirst(count) }
      return (Array(state.waiting.prefix(count)), [])
    }
    for promise in idle { promise.complete(.success(())) }
    return entries
  }

  /// What is left behind, if there is no sense in trying again.
  private func giveUp(_ error: StorageError) -> [Entry]? {
    let left = state.withLock { state -> (entries: [Entry], idle: [Promise<Void>])? in
      guard state.isClosing || error.code == .closed else { return nil }
      state.isRunning = false
      state.isCommitting = false
      state.loss = error
      defer { (state.waiting, state.idle) = ([], []) }
      return (state.waiting, state.idle)
    }
    for promise in left?.idle ?? [] { promise.complete(.failure(SyncError(error))) }
    return left?.entries
  }

  private func takeWaiting() -> [Entry] {
    state.withLock { state in
      defer { state.waiting = [] }
      return state.waiting
    }
  }

  private static func store(_ entries: inout [Entry]) throws {
    for index in entries.indices where !entries[index].isStored {
      entries[index].batch = try entries[index].client.stored(entries[index].batch)
      entries[index].isStored = true
    }
  }

  /// The same rows in one batch, and whom to tell. What cannot be made ready for the store stays as it is.
  private static func merged(_ taken: [Entry]) -> [Entry] {
    var entries = taken
    guard (try? store(&entries)) != nil else { return entries }
    let told = lastTickets(entries)
    let batch = StorageBatch.merging(entries.map(\.batch))
    return told.enumerated().map { index, entry in
      Entry(batch: index == 0 ? batch : StorageBatch(), client: entry.0, ticket: entry.1, isStored: true)
    }
  }

  private static func lastTickets(_ entries: [Entry]) -> [(any Client, Int64)] {
    var last: [ObjectIdentifier: (any Client, Int64)] = [:]
    for entry in entries { last[ObjectIdentifier(entry.client)] = (entry.client, entry.ticket) }
    return Array(last.values)
  }
}
