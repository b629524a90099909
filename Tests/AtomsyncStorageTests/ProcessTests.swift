import AtomsyncCore
import AtomsyncLMDB
import Foundation
import Testing

#if os(Linux)
/// Several processes on one store, some of which die.
@Suite struct ProcessTests {
  @Test(arguments: ChildRole.Kind.allCases)
  func whatWasAnsweredSurvivesKill(_ kind: ChildRole.Kind) async throws {
    let folder = try TemporaryFolder()
    let role = ChildRole(.write, kind, folder("store"))
    // This process has the store open all the while, reads and writes, and must not be held up by the dead.
    let storage = try await role.provider.open(.shared)
    var answered = 0
    for round in 1...5 {
      let child = try ChildProcess(role)
      answered = try await child.reports(20 + round * 7).last ?? answered
      _ = try await storage.scan(StorageScan(.all, limit: 3))
      answered = try await child.kill().last ?? answered
      let counts = try await Pairs.check(storage)
      #expect(answered > 0)
      #expect(counts.complete >= answered, "commit \(answered) was answered")
      #expect(counts.torn == 0)
      _ = try await storage.commit(StorageBatch(writes: [.put([0], [UInt8(round)])]))
    }
    await storage.close()
    let reopened = try await role.provider.open(.exclusive)
    #expect(try await Pairs.check(reopened).complete >= answered)
    #expect(try await reopened.read([0]) == [5])
    await reopened.close()
  }

  @Test(arguments: ChildRole.Kind.allCases)
  func processesCountTogether(_ kind: ChildRole.Kind) async throws {
    let folder = try TemporaryFolder()
    let role = ChildRole(.count, kind, folder("store"))
    let storage = try await role.provider.open(.shared)
    let bell = storage.foreignCommits()
    // Nothing of this process rings, so the waiter is owed a ring by each child's last commit.
    let waiter = Task {
      for await _ in bell {
        if try await Counter.finished(storage) == 2 { return true }
      }
      return false
    }
    let children = try (1...2).map { _ in try ChildProcess(role) }
    for _ in 1...100 { try await Counter.increment(storage) }
    for child in children { #expect(try await child.finish()) }
    #expect(try await Counter.value(storage) == 300)
    #expect(try await waiter.value)
    await storage.close()
  }

  /// One that was stopped in the middle of a commit holds nobody up for ever, and nobody else's reads at all.
  @Test(.timeLimit(.minutes(2)), arguments: ChildRole.Kind.allCases)
  func aStoppedWriterIsGivenUp(_ kind: ChildRole.Kind) async throws {
    let folder = try TemporaryFolder()
    let role = ChildRole(.write, kind, folder("store"))
    let storage = try await role.provider.open(.shared)
    let child = try ChildProcess(role)
    var error: StorageError?
    while error == nil {  // until it happens to stop in a commit
      _ = try await child.reports(5)
      try await child.stop()
      do { _ = try await storage.commit(StorageBatch(writes: [.put([0], [1])])) } catch let caught
        as StorageError
      {
        error = caught
      }
      if error == nil { try await child.resume() }
    }
    #expect(error?.code == .inUse)
    #expect(error?.message.contains(role.path) == true)
    #expect(try await Pairs.check(storage).torn == 0)
    try await child.resume()
    _ = try await child.reports(1)
    #expect(try await storage.commit(StorageBatch(writes: [.put([0], [2])])) == .committed)
    _ = try await child.kill()
    await storage.close()
  }

  @Test(arguments: ChildRole.Kind.allCases)
  func exclusiveHoldsAgainstProcesses(_ kind: ChildRole.Kind) async throws {
    let folder = try TemporaryFolder()
    let role = ChildRole(.write, kind, folder("store"))
    let child = try ChildProcess(role)
    #expect(try await child.reports(1).isEmpty == false)
    let error = await #expect(throws: StorageError.self) {
      await (try role.provider.open(.exclusive)).close()
    }
    #expect(error?.code == .inUse)
    _ = try await child.kill()
    await (try role.provider.open(.exclusive)).close()
  }

  @Test func followsAMapThatAnotherProcessGrows() async throws {
    let folder = try TemporaryFolder()
    let role = ChildRole(.write, .lmdb, folder("store"))
    let storage = try await LMDBStorage.open(
      role.path, access: .shared, durability: .power, mapSize: 1 << 20)
    for (round, follower) in ["reader", "committer", "reader on the thread that commits"].enumerated() {
      let child = try ChildProcess(role)
      // About 15 kB a commit, and more of them each time, so the map has grown meanwhile.
      let seen = try await child.reports(300 << round)
      let answered = try #require((seen + (try await child.kill())).last)
      if follower == "committer" { _ = try await storage.commit(StorageBatch(writes: [.put([0], [])])) }
      let executor = follower == "reader on the thread that commits" ? storage.commitExecutor : nil
      let counts = try await withTaskExecutorPreference(executor) { try await Pairs.check(storage) }
      #expect(counts.complete >= answered)
      #expect(counts.torn == 0)
    }
    await storage.close()
  }
}

/// The children's side: runs only in a process that ``ChildProcess`` has started.
@Suite(.enabled(if: ChildRole.own != nil, "only for child processes"))
struct ChildRoleTests {
  @Test func play() async throws {
    let role = try #require(ChildRole.own)
    let storage = try await role.provider.open(.shared)
    switch role.task {
    case .write:
      var number = try await Pairs.check(storage).complete
      while true {  // until killed
        let outcomes = try await storage.commit(Pairs.batches(number))
        number += outcomes.count
        try ChildProcess.report(number)
      }
    case .count:
      for _ in 1...100 { try await Counter.increment(storage) }
      try await Counter.finish(storage)
      await storage.close()
    }
  }
}
#endif

/// Records that come in pairs, three pairs a commit, a batch for each, numbered without a gap.
enum Pairs {
  static func batches(_ number: Int) -> [StorageBatch] {
    (number..<number + 3).map { number in
      let value = [UInt8](repeating: UInt8(number % 251), count: 50 + number % 5_000)
      return StorageBatch(writes: [.put(key(1, number), value), .put(key(2, number), value)])
    }
  }

  /// How many pairs there are from 0 on, and how many records have no partner.
  static func check(_ storage: any Storage) async throws -> (complete: Int, torn: Int) {
    let snapshot = try await storage.read(
      StorageQuery(scans: [StorageScan(KeyRange(prefix: [1])), StorageScan(KeyRange(prefix: [2]))]))
    let first = snapshot.scans[0].entries.map { Array($0.key.dropFirst()) + $0.value }
    let second = snapshot.scans[1].entries.map { Array($0.key.dropFirst()) + $0.value }
    let torn = Set(first).symmetricDifference(second).count
    let keys = Set(snapshot.scans[0].entries.map(\.key))
    var complete = 0
    while keys.contains(key(1, complete)) { complete += 1 }
    return (complete, torn + keys.count - complete)
  }

  private static func key(_ half: UInt8, _ number: Int) -> [UInt8] {
    [half] + (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
  }
}

/// A number that is only raised by compare-and-set.
enum Counter {
  private static let key: [UInt8] = [9]

  static func value(_ storage: any Storage) async throws -> Int {
    (try await storage.read(key) ?? []).reduce(0) { $0 << 8 | Int($1) }
  }

  /// Leaves a mark of this process.
  static func finish(_ storage: any Storage) async throws {
    let mark = Array("done \(ProcessInfo.processInfo.processIdentifier)".utf8)
    _ = try await storage.commit(StorageBatch(writes: [.put(mark, [])]))
  }

  /// How many processes have left their mark.
  static func finished(_ storage: any Storage) async throws -> Int {
    try await storage.scan(StorageScan(KeyRange(prefix: Array("done".utf8)))).entries.count
  }

  static func increment(_ storage: any Storage) async throws {
    while true {
      let old = try await storage.read(key)
      let number = (old ?? []).reduce(0) { $0 << 8 | Int($1) } + 1
      let condition = old.map { StoragePrecondition.equals(key, $0) } ?? .absent(key)
      let new = [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
      let batch = StorageBatch(preconditions: [condition], writes: [.put(key, new)])
      if try await storage.commit(batch) == .committed { return }
    }
  }
}
