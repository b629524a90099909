import Atomsync
import AtomsyncCore
import AtomsyncTesting
import Testing
import Transit

@Suite(.timeLimit(.minutes(1))) struct CommitQueueTests {
  /// A commit that fails may have been applied in part. What is tried again is one batch with the last state of each
  /// row: were it the batches one by one, a death between them would bring back rows that later ones had removed.
  @Test func whatFailedIsTriedAgainAsOneBatch() async throws {
    let log = CommitLog()
    let queue = CommitQueue(log, Scene.configuration())
    let client = Told()
    log.gate.shut()
    for number in UInt8(1)...3 {
      queue.enqueue(
        StorageBatch(writes: [.put([1], [number]), .put([2, number], []), .delete([2, number - 1])]),
        Int64(number), for: client)
      if number == 1 { await log.gate.holds(1) }
    }
    log.failures.withLock { $0 = 2 }
    log.gate.open()
    try await eventually { client.tickets.withLock { $0 } == [3] }
    #expect(client.errors.withLock { $0 } == 2)
    let commits = log.commits.withLock { $0 }
    #expect(commits.count == 3)
    for retry in commits.dropFirst() {
      #expect(retry.count { !$0.writes.isEmpty } == 1)
      var store = OrderedBytes()
      for batch in retry { _ = store.apply(batch) }
      #expect(store[[1]] == [3])
      #expect(store[[2, 3]] == [] && store[[2, 2]] == nil && store[[2, 1]] == nil)
    }
  }

  private final class Told: CommitQueue.Client {
    let tickets = Lock<[Int64]>([])
    let errors = Lock(0)
    func committed(through ticket: Int64) { tickets.withLock { $0.append(ticket) } }
    func stored(_ batch: StorageBatch) -> StorageBatch { batch }
    func commitFailed(_ error: StorageError) { errors.withLock { $0 += 1 } }
  }

  /// Notes what was to be committed, and fails as often as it is told.
  private final class CommitLog: Storage {
    let commits = Lock<[[StorageBatch]]>([])
    let failures = Lock(0)
    let gate = StorageGate()

    var capabilities: StorageCapabilities {
      StorageCapabilities(durability: .process, isShared: false, maximumKeyLength: .max)
    }
    func read(_ query: StorageQuery) async throws -> StorageSnapshot { throw StorageError.closed }
    func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] {
      await gate.pass()
      commits.withLock { $0.append(batches) }
      let fails = failures.withLock { failures in
        defer { failures = max(0, failures - 1) }
        return failures > 0
      }
      if fails { throw StorageError(.failed, "a cable came loose") }
      return batches.map { _ in .committed }
    }
    func foreignCommits() -> AsyncStream<ForeignCommit> { AsyncStream { $0.finish() } }
    func close() async {}
  }
}
