import AtomsyncCore
import AtomsyncLMDB
import AtomsyncSQLite
import AtomsyncStorageSupport
import AtomsyncTesting
import Foundation
import Testing

/// What a task finds that prefers the executor on which a storage commits. The promises of a storage are held there by
/// `ConformanceTests`.
@Suite(.timeLimit(.minutes(1))) struct CommitExecutorTests {
  @Test func aTaskOnAQueueRunsThereAtOnce() async throws {
    let queue = BlockingQueue("test")
    let order = Lock<[String]>([])
    #expect(!queue.isCurrent)
    try await Task(executorPreference: queue) {
      #expect(queue.isCurrent)
      #expect(!BlockingQueue("another").isCurrent)
      Task(executorPreference: queue) { order.withLock { $0.append("later") } }
      try await queue.run { order.withLock { $0.append("at once") } }
      await Task.yield()
      #expect(queue.isCurrent)
    }.value
    #expect(try await queue.run { queue.isCurrent })
    #expect(order.withLock { $0 } == ["at once", "later"])
  }

  @Test func whatIsThrownOnAQueueArrives() async throws {
    struct Failure: Error {}
    let queue = BlockingQueue("test")
    await #expect(throws: Failure.self) {
      try await Task(executorPreference: queue) { try await queue.run { throw Failure() } }.value
    }
  }

  @Test func readsAndCommitsStayOnTheThread() async throws {
    let folder = try TemporaryFolder()
    for provider in [StorageProvider.sqlite(folder("store.db")), .lmdb(folder("store"))] {
      for wrap in [{ $0 }, { FaultyStorage($0) }, { PrefixedStorage($0, prefix: [7]) }] as [Wrap] {
        let base = try await provider.open(.shared)
        let storage = wrap(base)
        let executor = try #require(storage.commitExecutor)
        try await Task(executorPreference: executor) {
          let thread = pthread_self()
          for value in UInt8(1)...50 {
            _ = try await storage.commit(StorageBatch(writes: [.put([1], [value])]))
            #expect(try await storage.read([1]) == [value])
            let all = try await storage.scan(StorageScan(.all))
            #expect(all.entries.map(\.value) == [[value]])
            #expect(pthread_equal(thread, pthread_self()) != 0)
          }
          _ = try await storage.commit(StorageBatch(writes: [.delete([1])]))
        }.value
        await base.close()
      }
    }
  }

  private typealias Wrap = (any Storage) -> any Storage

  @Test func afterCloseATaskOnTheThreadIsToldSo() async throws {
    let folder = try TemporaryFolder()
    for provider in [StorageProvider.sqlite(folder("store.db")), .lmdb(folder("store"))] {
      let storage = try await provider.open(.shared)
      let executor = try #require(storage.commitExecutor)
      try await Task(executorPreference: executor) {
        _ = try await storage.commit(StorageBatch(writes: [.put([1], [1])]))
        await storage.close()
        let read = await #expect(throws: StorageError.self) { try await storage.read([1]) }
        #expect(read?.code == .closed)
        let commit = await #expect(throws: StorageError.self) { try await storage.commit([]) }
        #expect(commit?.code == .closed)
      }.value
    }
  }
}
