import AtomsyncCore
import AtomsyncPostgres
import AtomsyncTesting
import Foundation
import Testing

/// What PostgreSQL alone promises, or can do wrong.
@Suite(.enabled(if: Cluster.url != nil, "PostgreSQL is not installed."))
struct PostgresStorageTests {
  private func withStorages(
    _ count: Int, url: String = Cluster.newStore(),
    _ body: ([PostgresStorage], _ url: String) async throws -> Void
  ) async throws {
    var storages: [PostgresStorage] = []
    for _ in 0..<count { storages.append(try await PostgresStorage.open(url)) }
    do { try await body(storages, url) } catch {
      for storage in storages { await storage.close() }
      throw error
    }
    for storage in storages { await storage.close() }
  }

  @Test func threeStoragesCountTogether() async throws {
    try await withStorages(3) { storages, _ in
      let key: [UInt8] = [1]
      _ = try await storages[0].commit(StorageBatch(writes: [.put(key, [0, 0])]))
      try await withThrowingTaskGroup { group in
        for storage in storages + storages {
          group.addTask {
            for _ in 0..<50 {
              while true {
                guard let old = try await storage.read(key) else { break }
                let number = Int(old[0]) << 8 + Int(old[1]) + 1
                let new = [UInt8(number >> 8), UInt8(number & 0xFF)]
                let batch = StorageBatch(preconditions: [.equals(key, old)], writes: [.put(key, new)])
                if try await storage.commit(batch) == .committed { break }
              }
            }
          }
        }
        try await group.waitForAll()
      }
      #expect(try await storages[1].read(key) == [1, 44])
    }
  }

  /// Each wants the other's key to be absent, and writes its own: only one may.
  @Test func twoCommitsNeverOverlookEachOther() async throws {
    try await withStorages(2) { storages, _ in
      for round: UInt8 in 0..<20 {
        let keys: [[UInt8]] = [[round, 1], [round, 2]]
        async let first = storages[0].commit(
          StorageBatch(preconditions: [.absent(keys[0])], writes: [.put(keys[1], [1])]))
        async let second = storages[1].commit(
          StorageBatch(preconditions: [.absent(keys[1])], writes: [.put(keys[0], [1])]))
        _ = try await (first, second)
        let values = try await storages[0].read(keys)
        #expect(values.compactMap(\.self).count <= 1, "round \(round)")
      }
    }
  }

  @Test func othersHearWhatACommitIsAbout() async throws {
    try await withStorages(2) { storages, _ in
      var news = storages[1].foreignCommits().makeAsyncIterator()
      #expect(await news.next() == ForeignCommit())
      let topics: Set<String> = ["list", "räksmörgås \u{1F990}"]
      _ = try await storages[0].commit([
        StorageBatch(writes: [.put([1], [1])], topics: topics),
        StorageBatch(writes: [.put([2], [1])], topics: []),
        StorageBatch(preconditions: [.absent([1])], writes: [.put([3], [1])], topics: ["refused"]),
      ])
      #expect(await news.next() == ForeignCommit(topics: topics))
      _ = try await storages[0].commit(StorageBatch(writes: [.put([1], [2])], topics: []))
      let many = Set((0..<200).map { "\($0) " + String(repeating: "x", count: 60) })
      _ = try await storages[0].commit(StorageBatch(writes: [.put([1], [3])], topics: many))
      #expect(await news.next() == ForeignCommit())
    }
  }

  @Test func aTableOfAnotherKindIsLeftAlone() async throws {
    try await withStorages(1) { _, url in
      let other = try #require(
        url.split(separator: "=").last.map { url.replacing("table=\($0)", with: "table=\($0)_commits") })
      await #expect { try await PostgresStorage.open(other) } throws: {
        ($0 as? StorageError)?.code == .foreign
      }
    }
  }

  @Test(arguments: [
    "http://localhost/x", "postgres://localhost/x?table=A%20B", "postgres://localhost/x?pooling=session",
    "postgres://u:secret@[::1/x", "postgres://u:secret@localhost:port/x", "postgres://u:secret@localhost:1/x",
    "postgres://u:secret@localhost/x?sslmode=sometimes", "postgres://u:top/secret@localhost:1/x",
    "postgres://u:top@secret@localhost:1/x", "postgres://secret:top/x@localhost:1/x",
  ])
  func whatCannotBeReachedIsSaidWithoutThePassword(_ url: String) async throws {
    let provider = StorageProvider.postgres(url)
    await #expect {
      try await provider.open(.shared)
    } throws: { error in
      let text = "\(error) \(provider)"
      return (error as? StorageError)?.code == .inaccessible && !text.contains("secret")
    }
  }

  @Test func aCommitSurvivesTheLossOfEverySession() async throws {
    try await withStorages(2) { storages, url in
      let database = Database(url)
      for number: UInt8 in 0..<60 {
        async let kill: Void = database.endSessions()
        let batch = StorageBatch(
          preconditions: [number == 0 ? .absent([1]) : .equals([1], [number - 1])],
          writes: [.put([1], [number])])
        // Nobody else writes: a refusal would be a commit that was made and forgotten.
        let outcome = try await storages[0].commit(batch)
        #expect(outcome == .committed, "\(number)")
        #expect(try await storages[1].read([1]) == [number])
        try await kill
        if outcome != .committed { break }
      }
    }
  }

  /// Whether the server has heard of the commit or not: it is found out, and made once.
  @Test(arguments: [CuttingProxy.Fate.requestIsLost, .answerIsLost, .requestIsLate])
  func aCommitWhoseAnswerIsLostIsMadeOnce(_ fate: CuttingProxy.Fate) async throws {
    let direct = try #require(Cluster.url.flatMap { URL(string: $0) })
    let proxy = try await CuttingProxy(toPort: try #require(direct.port))
    let path = "?" + (Cluster.newStore().split(separator: "?").last ?? "")
    let url = "postgres://postgres@127.0.0.1:\(proxy.port)/postgres\(path)"
    let storage = try await PostgresStorage.open(url)
    for number: UInt8 in 0..<10 {
      proxy.decide(fate)
      let known = StoragePrecondition.equals([1], [number &- 1])
      let outcomes = try await storage.commit([
        StorageBatch(preconditions: [number == 0 ? .absent([1]) : known], writes: [.put([1], [number])]),
        StorageBatch(preconditions: [.absent([1])], writes: [.put([2], [number])]),
      ])
      // Made twice, it would meet what it wrote itself.
      #expect(outcomes == [.committed, .refused(key: [1])])
      #expect(try await storage.read([[1], [2]]) == [[number], nil])
    }
    #expect(proxy.cutCount >= 10)
    await storage.close()
    try await proxy.close()
  }

  @Test func aTableMayHaveANameOfSQLs() async throws {
    let url = try #require(Cluster.url) + "?table=user"
    try await withStorages(1, url: url) { storages, _ in
      _ = try await storages[0].commit(
        StorageBatch(preconditions: [.absent([1])], writes: [.put([1], [1]), .delete([2])]))
      #expect(try await storages[0].read([1]) == [1])
    }
    try await Database(url).run("DROP TABLE \"user\", user_commits")
  }

  /// A table may be dropped and restored while servers use it.
  @Test func aTableThatIsMadeAnewKeepsItsLockAndItsChannel() async throws {
    try await withStorages(1) { storages, url in
      _ = try await storages[0].commit(StorageBatch(writes: [.put([1], [1])]))
      let table = try #require(url.components(separatedBy: "&table=").last)
      // Without the other table, as a backup of one may be.
      try await Database(url).run(
        """
        BEGIN; ALTER TABLE \(table) RENAME TO \(table)_old; DROP TABLE \(table)_commits;
        CREATE TABLE \(table) (LIKE \(table)_old INCLUDING ALL); INSERT INTO \(table) SELECT * FROM \(table)_old;
        COMMENT ON TABLE \(table) IS 'Atomsync store, layout 1'; COMMIT
        """)
      await #expect { try await PostgresStorage.open(url, access: .exclusive) } throws: {
        ($0 as? StorageError)?.code == .inUse
      }
      var news = storages[0].foreignCommits().makeAsyncIterator()
      _ = await news.next()
      let other = try await PostgresStorage.open(url)
      _ = try await other.commit(StorageBatch(writes: [.put([1], [2])], topics: ["list"]))
      #expect(await news.next() == ForeignCommit(topics: ["list"]))
      #expect(try await storages[0].read([1]) == [2])
      await other.close()
    }
  }

  /// What takes the connection and says nothing: a pooler that is paused, a host that hangs.
  @Test(.timeLimit(.minutes(1))) func aServerThatSaysNothingIsGivenUp() async throws {
    let direct = try #require(Cluster.url.flatMap { URL(string: $0) })
    let proxy = try await CuttingProxy(toPort: try #require(direct.port))
    proxy.decide(.silentOnceReady)
    await #expect {
      try await PostgresStorage.open("postgres://postgres@127.0.0.1:\(proxy.port)/postgres?connect_timeout=2")
    } throws: { ($0 as? StorageError)?.code == .inaccessible }
    try await proxy.close()
  }

  /// Whoever runs the database may have told it to answer before the disk has the commit.
  @Test(arguments: ["", "&pooling=transaction"])
  func aCommitWaitsForTheDiskWhateverTheDatabaseSays(_ pooling: String) async throws {
    let store = Cluster.newStore()
    let url = store + "&options=-csynchronous_commit%3Doff" + pooling
    let table = try #require(store.components(separatedBy: "&table=").last)
    try await withStorages(1, url: url) { storages, _ in
      // The row itself says how it was committed.
      try await Database(store).run(
        """
        CREATE FUNCTION \(table)_f() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN NEW.v := convert_to(current_setting('synchronous_commit'), 'UTF8'); RETURN NEW; END $$;
        CREATE TRIGGER t BEFORE INSERT OR UPDATE ON \(table) FOR EACH ROW EXECUTE FUNCTION \(table)_f();
        """)
      _ = try await storages[0].commit(StorageBatch(writes: [.put([1], [1])]))
      #expect(try await storages[0].read([1]) == Array("on".utf8))
    }
    try await withStorages(1, url: store + "&options=-csynchronous_commit%3Dremote_apply" + pooling) {
      storages, _ in
      _ = try await storages[0].commit(StorageBatch(writes: [.put([1], [1])]))
      #expect(try await storages[0].read([1]) == Array("remote_apply".utf8))
    }
  }

  /// However the server ends it, and by whichever way the server is reached.
  @Test(.timeLimit(.minutes(1)), arguments: [false, true])
  func newsComeAgainAfterASessionIsLost(isLocal: Bool) async throws {
    try await withStorages(2, url: isLocal ? Cluster.newLocalStore() : Cluster.newStore()) { storages, url in
      let news = storages[1].foreignCommits()
      let waiter = Task {
        for await _ in news where try await storages[1].read([1]) == [1] { return true }
        return false
      }
      _ = try await storages[1].read([1])
      try await Database(url).endSessions()
      _ = try await storages[0].commit(StorageBatch(writes: [.put([1], [1])]))
      #expect(try await waiter.value)
    }
  }

  @Test func behindAPoolerItIsAsked() async throws {
    let url = Cluster.newStore()
    let (first, second) = (
      try await PostgresStorage.open(url + "&pooling=transaction"), try await PostgresStorage.open(url)
    )
    let news = first.foreignCommits()
    let waiter = Task {
      for await _ in news where try await first.read([1]) == [1] { return true }
      return false
    }
    _ = try await second.commit(StorageBatch(writes: [.put([1], [1])]))
    #expect(try await waiter.value)
    #expect(
      try await first.commit(StorageBatch(preconditions: [.equals([1], [1])], writes: [.put([1], [2])]))
        == .committed)
    #expect(try await second.read([1]) == [2])
    await first.close()
    await second.close()
  }
}

/// A store's database, and what others do in it.
private struct Database {
  private let table: String
  private let url: String

  init(_ url: String) {
    let parts = url.components(separatedBy: "?")
    self.url = parts[0]
    table = url.components(separatedBy: "&table=").last ?? ""
  }

  /// Ends the sessions of the store, as a server that is restarted does.
  func endSessions() async throws {
    try await run(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '\(table)'")
  }

  func run(_ statements: String) async throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", statements]
    process.standardOutput = FileHandle.nullDevice
    let status = try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Int32, any Error>) in
      process.terminationHandler = { ended.resume(returning: $0.terminationStatus) }
      do { try process.run() } catch { ended.resume(throwing: error) }
    }
    #expect(status == 0)
  }
}
