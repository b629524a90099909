internal import AtomsyncCore
internal import Foundation

/// The session that commits, holds the store's lock, and is told of the others' commits.
///
/// Commits are transactions of two round trips at `READ COMMITTED`: the first locks the rows that the batches have
/// preconditions on, the second writes. What comes meanwhile is the next transaction.
actor PostgresCommitter {
  private struct Waiting {
    var batches: [StorageBatch]
    var answer: CheckedContinuation<[StorageOutcome], any Error>
  }

  private let address: PostgresAddress
  private let access: StorageAccess
  private let durability: StorageCapabilities.Durability
  private let news: PostgresNews
  /// The name of the storage object.
  private let name = UUID().uuidString

  private var connection: PostgresConnection?
  private var opening: Task<PostgresConnection, any Error>?
  private var layout: PostgresLayout?
  private var waiting: [Waiting] = []
  private var isRunning = false
  private var isClosed = false
  private var closers: [CheckedContinuation<Void, Never>] = []
  /// The number of the last commit that was tried.
  private var number: Int64 = 0
  /// Set when a store that was this object's alone may be somebody else's by now.
  private var isLost = false

  /// Bytes of the batches in one transaction.
  private static let bytesAtOnce = 16 << 20
  /// How long a commit is tried.
  private static let patience = Duration.seconds(30)

  init(
    _ address: PostgresAddress, access: StorageAccess, durability: StorageCapabilities.Durability,
    _ news: PostgresNews
  ) {
    self.address = address
    self.access = access
    self.durability = durability
    self.news = news
  }

  /// Whether a commit is durable.
  ///
  /// - Throws: `StorageError`.
  func open() async throws -> StorageCapabilities.Durability {
    if access == .exclusive && address.isPooled {
      throw StorageError(
        .inaccessible,
        "Behind a pooler a store cannot be held by one process alone. Name the PostgreSQL server itself.")
    }
    do {
      _ = try await session()
    } catch let failure as PostgresFailure { throw failure.error(at: address) }
    return layout?.isDurable ?? false ? durability : .process
  }

  func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] {
    try await withCheckedThrowingContinuation { answer in
      if isClosed { return answer.resume(throwing: StorageError.closed) }
      waiting.append(Waiting(batches: batches, answer: answer))
      if isRunning { return }
      isRunning = true
      Task { await run() }
    }
  }

  /// A number that changes with others' commits, and with this object's own.
  func look() async throws -> Int64 {
    if isClosed { throw StorageError.closed }
    return try await session().run([PostgresPooling.look])[0].number(0, 0)
  }

  /// Finishes what was begun.
  func close() async {
    isClosed = true
    if isRunning { await withCheckedContinuation { closers.append($0) } }
    opening?.cancel()
    if let connection {
      _ = try? await connection.run([
        PostgresStatement(
          "leave", "DELETE FROM \(address.table)_commits WHERE storage = $1", [.text(name)])
      ])
      await connection.close()
    }
    connection = nil
  }

  // MARK: Committing

  private func run() async {
    while !waiting.isEmpty {
      var bytes = 0
      let some = waiting.prefix { waiting in
        defer { bytes += waiting.batches.reduce(0) { $0 + $1.byteCount } }
        return bytes < Self.bytesAtOnce
      }
      waiting.removeFirst(some.count)
      do {
        var outcomes = try await commit(PostgresCommit(some.flatMap(\.batches)))[...]
        for commit in some {
          commit.answer.resume(returning: Array(outcomes.prefix(commit.batches.count)))
          outcomes = outcomes.dropFirst(commit.batches.count)
        }
      } catch {
        for commit in some { commit.answer.resume(throwing: error) }
      }
    }
    isRunning = false
    for closer in closers { closer.resume() }
    closers = []
  }

  /// Tries until it is known what became of the commit.
  private func commit(_ commit: PostgresCommit) async throws -> [StorageOutcome] {
    let began = ContinuousClock.now
    var backoff = PostgresBackoff()
    var inDoubt: PostgresCommit?
    while true {
      do {
        let session = try await session()
        if let decided = inDoubt, try await lastNumber(session) == number { return decided.outcomes }
        inDoubt = nil
        return try await attempt(commit, session) { inDoubt = $0 }
      } catch let failure as PostgresFailure {
        guard failure.endsSession || failure.isPassing else { throw failure.error(at: address) }
        if ContinuousClock.now - began > Self.patience {
          guard inDoubt == nil else {
            throw StorageError(
              .failed, "It is not known whether a commit to PostgreSQL at \(address) happened.",
              cause: failure.message)
          }
          throw failure.error(at: address)
        }
        if failure.endsSession { await drop() }
        try? await Task.sleep(for: backoff.next())
      }
    }
  }

  /// - Parameter sending: called before the transaction is asked to commit: from then on it may have.
  private func attempt(
    _ commit: PostgresCommit, _ session: PostgresConnection, sending: (PostgresCommit?) -> Void
  ) async throws -> [StorageOutcome] {
    var commit = commit
    var first = [PostgresStatement("begin", "BEGIN")]
    if address.isPooled { first.append(PostgresPooling.settings) }
    first.append(
      PostgresStatement("hold", "SELECT pg_try_advisory_xact_lock_shared($1)", [.number(lock)]))
    do {
      let results = try await session.run(first + commit.lock(address.table))
      guard results[first.count - 1].number(0, 0) != 0 else {
        throw StorageError(
          .inUse, "Another process has the store at \(address) to itself. Close it there first.")
      }
      commit.decide(Array(results.dropFirst(first.count)))
      if commit.isEmpty {
        try await rollBack(session)
        return commit.outcomes
      }
      number += 1
      var last = commit.write(address.table)
      last.append(
        PostgresStatement(
          "number", Self.numbering(address.table, "excluded.number"), [.text(name), .number(number)]))
      if commit.topics != [] && !address.isPooled {
        last.append(
          PostgresStatement(
            "notify", "SELECT pg_notify($1, $2)",
            [.text(channel), .text(PostgresNotification.text(from: name, topics: commit.topics))]))
      }
      last.append(PostgresStatement("commit", "COMMIT"))
      sending(commit)
      _ = try await session.run(last)
      return commit.outcomes
    } catch {
      // Who has an answer knows that nothing was committed.
      if let failure = error as? PostgresFailure, failure.endsSession { throw failure }
      sending(nil)
      try await rollBack(session)
      throw error
    }
  }

  private func rollBack(_ session: PostgresConnection) async throws {
    _ = try await session.run([PostgresStatement("rollback", "ROLLBACK")])
  }

  /// The number of this object's last commit in the store. It waits for the transaction whose end is not known, if there
  /// is still one.
  private func lastNumber(_ session: PostgresConnection) async throws -> Int64 {
    try await session.run([
      PostgresStatement(
        "last", Self.numbering(address.table, "\(address.table)_commits.number") + " RETURNING number",
        [.text(name), .number(0)])
    ])[0].number(0, 0)
  }

  private static func numbering(_ table: String, _ number: String) -> String {
    """
    INSERT INTO \(table)_commits (storage, number, at) VALUES ($1, $2, now())
    ON CONFLICT (storage) DO UPDATE SET number = \(number), at = now()
    """
  }

  // MARK: The session

  /// The connection, which is made if there is none.
  private func session() async throws -> PostgresConnection {
    if isLost {
      throw StorageError(
        .inUse,
        "The connection that held the store at \(address) for this process alone was lost. Open the store anew."
      )
    }
    if let connection { return connection }
    if let opening { return try await opening.value }
    let task = Task { try await makeSession() }
    opening = task
    return try await task.value
  }

  private func makeSession() async throws -> PostgresConnection {
    // Here, and not where it is waited for: who asks next must not be given a session that has ended meanwhile.
    defer { opening = nil }
    let connection = PostgresConnection(
      address,
      PostgresConnection.Events(
        notification: { [news, name] text in
          if let commit = PostgresNotification.commit(text, toldTo: name) { news.add(commit) }
        },
        end: { [weak self] in Task { await self?.ended() } }))
    do {
      layout = try await connection.open(
        address.isPooled ? [:] : PostgresSettings.committing(durability)
      ) { [address] in try PostgresLayout($0, address) }
      if !address.isPooled { try await hold(connection) }
      _ = try await connection.run([
        PostgresStatement(
          "forget", "DELETE FROM \(address.table)_commits WHERE at < now() - interval '1 day'")
      ])
    } catch {
      await connection.close()
      throw error
    }
    self.connection = connection
    // Of what was committed meanwhile nobody has told.
    news.add(ForeignCommit())
    return connection
  }

  private func hold(_ connection: PostgresConnection) async throws {
    let kind = access == .exclusive ? "" : "_shared"
    let results = try await connection.run([
      PostgresStatement("take", "SELECT pg_try_advisory_lock\(kind)($1)", [.number(lock)]),
      PostgresStatement("listen", "LISTEN \(channel)"),
    ])
    guard results[0].number(0, 0) != 0 else {
      throw StorageError(
        .inUse,
        access == .exclusive
          ? "The store at \(address) is open elsewhere. Close it there first."
          : "Another process has the store at \(address) to itself. Close it there first.")
    }
  }

  private var lock: Int64 { 0x6174_6F6D << 32 /* "atom" */ | (layout?.number ?? 0) }
  private var channel: String { "atomsync_\(layout?.number ?? 0)" }

  private func drop() async {
    let old = connection
    connection = nil
    if access == .exclusive && old != nil { isLost = true }
    await old?.close()
  }

  /// The session has ended by itself: others' commits must be heard of again.
  private func ended() async {
    await drop()
    var backoff = PostgresBackoff()
    while !isClosed && !isLost && connection == nil {
      do {
        _ = try await session()
        return
      } catch { try? await Task.sleep(for: backoff.next()) }
    }
  }
}
