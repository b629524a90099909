import AtomsyncCore
import AtomsyncTesting
import Testing

@Suite struct FaultyStorageTests {
  private let memory = MemoryStorage()
  private let disk: FaultyStorage

  init() { self.disk = FaultyStorage(memory) }

  private func batches(_ keys: UInt8...) -> [StorageBatch] {
    keys.map { StorageBatch(writes: [.put([$0], [$0])]) }
  }

  private func keys() async throws -> [UInt8] {
    try await memory.scan(StorageScan(.all)).entries.compactMap(\.key.first)
  }

  @Test(
    arguments: [
      (FaultyStorage.Crash.before, [1]), (.torn(applied: 0), [1]), (.torn(applied: 2), [1, 2, 3]),
      (.torn(applied: 9), [1, 2, 3, 4]), (.after, [1, 2, 3, 4]),
    ] as [(FaultyStorage.Crash, [UInt8])])
  func crash(_ crash: FaultyStorage.Crash, leaves expected: [UInt8]) async throws {
    disk.plan(.crash(crash), afterCommits: 1)
    _ = try await disk.commit(batches(1))
    await #expect(throws: StorageError.self) { try await disk.commit(batches(2, 3, 4)) }
    #expect(disk.hasCrashed)
    #expect(try await keys() == expected)
    await #expect(throws: StorageError.self) { try await disk.read([1]) }
    await #expect(throws: StorageError.self) { try await disk.commit(batches(5)) }
    #expect(try await keys() == expected)
    disk.reopen()
    _ = try await disk.commit(batches(6))
    #expect(try await disk.read([6]) == [6])
    #expect(disk.commitCount == 3)
  }

  @Test func handlesBeforeAReopeningStayDead() async throws {
    disk.crash()
    let restarted = disk.reopened()
    _ = try await restarted.commit(batches(1))
    await #expect(throws: StorageError.self) { try await disk.commit(batches(2)) }
    await disk.close()
    #expect(try await restarted.read([1]) == [1])
    #expect(try await keys() == [1])
  }

  @Test func aCrashTakesDownWhatWaits() async throws {
    disk.commitGate.shut()
    let waiting = Task { [disk] in try await disk.commit(StorageBatch(writes: [.put([1], [1])])) }
    await disk.commitGate.holds(1)
    disk.crash()
    let restarted = disk.reopened()
    disk.commitGate.open()
    await #expect(throws: StorageError.self) { try await waiting.value }
    #expect(try await restarted.read([1]) == nil)
  }

  @Test func fullUntilFreed() async throws {
    disk.isFull = true
    let error = await #expect(throws: StorageError.self) { try await disk.commit(batches(1)) }
    #expect(error?.code == .full)
    #expect(try await disk.read([1]) == nil)
    disk.isFull = false
    _ = try await disk.commit(batches(1))
    #expect(try await disk.read([1]) == [1])
  }

  @Test func failures() async throws {
    disk.plan(.fail(StorageError(.corrupt, "no")), afterCommits: 1)
    _ = try await disk.commit(batches(1))
    let error = await #expect(throws: StorageError.self) { try await disk.commit(batches(2)) }
    #expect(error?.code == .corrupt)
    _ = try await disk.commit(batches(3))
    disk.failReads(2)
    for _ in 1...2 { await #expect(throws: StorageError.self) { try await disk.read([1]) } }
    #expect(try await disk.read([[1], [2], [3]]) == [[1], nil, [3]])
  }

  @Test func gates() async throws {
    disk.commitGate.shut()
    let tasks = (1...3).map { key in
      Task { [disk] in try await disk.commit(StorageBatch(writes: [.put([UInt8(key)], [])])) }
    }
    await disk.commitGate.holds(3)
    #expect(try await keys() == [])
    #expect(disk.commitGate.openForOne())
    while try await keys().isEmpty { await Task.yield() }
    #expect(try await keys().count == 1)
    #expect(disk.commitGate.waiting == 2)
    disk.commitGate.open()
    for task in tasks { _ = try await task.value }
    #expect(try await keys() == [1, 2, 3])
    #expect(!disk.commitGate.openForOne())
  }

  @Test func closeKeepsTheStore() async throws {
    _ = try await disk.commit(batches(1))
    await disk.close()
    let error = await #expect(throws: StorageError.self) { try await disk.read([1]) }
    #expect(error?.code == .closed)
    #expect(try await disk.reopened().read([1]) == [1])
  }
}
