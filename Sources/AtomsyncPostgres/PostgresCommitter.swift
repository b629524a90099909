internal import AtomsyncCore
internal import AtomsyncStorageSupport
internal import Foundation

/// The session that commits, holds the store's lock, and is told of the others' commits.
///
/// Commits are transactions of two round trips at `READ COMMITTED`: the first locks the rows that the batches have
/// preconditions on, the second writes. One is under way at a time.
actor PostgresCommitter {
  private struct Waiting {
    var batches: [StorageBatch]
    var answer: CheckedContinuation<[StorageOutcome], any Error>
  }

  private let address: PostgresAddress
  private let access: StorageAccess
  private let durability: StorageCapabilities.Durability
  private let news: CommitNews
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

  /// How long a commit is tried.
  private static let patience = Duration.seconds(30)

  init(
    _ address: PostgresAddress, access: StorageAccess, durability: StorageCapabilities.Durability,
    _ news: CommitNews
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
    _ = await opening?.result
    if let connection {
      _ = try? await connection.run([
        address.statements.leave.with(.text(name))
      ])
      await connection.close()
    }
    connection = nil
  }

  // MARK: Committing

  private func run() async {
    while !waiting.isEmpty {
      let next = waiting.removeFirst()
      do {
        next.answer.resume(returning: try await commit(PostgresCommit(next.batches)))
      } catch {
        next.answer.resume(throwing: error)
      }
    }
    isRunning = false
    for closer in closers { closer.resume() }
    closers = []
  }

  /// The connection was lost after the transaction was asked to commit.
  private struct Doubt: Error {
    var outcomes: [StorageOutcome]
    var failure: PostgresFailure
  }

  /// Tries until it is known what became of the commit.
  private func commit(_ commit: PostgresCommit) async throws -> [StorageOutcome] {
    let began = ContinuousClock.now
    var backoff = PostgresBackoff()
    var inDoubt: [StorageOutcome]?
    while true {
      let failure: PostgresFailure
      do {
        let session = try await session()
        if let outcomes = inDoubt {
          if try await lastNumber(session) == number { return outcomes }
          inDoubt = nil
        }
        return try await attempt(commit, session)
      } catch let doubt as Doubt {
        inDoubt = doubt.outcomes
        failure = doubt.failure
      } catch let other as PostgresFailure {
        failure = other
      } catch {
        throw inDoubt == nil ? error : unknown(error)
      }
      guard failure.isWorthAnotherTry, ContinuousClock.now - began < Self.patience else {
        let error = failure.error(at: address)
        throw inDoubt == nil ? error : unknown(error)
      }
      await backoff.rest()
    }
  }

  private func unknown(_ error: any Error) -> StorageError {
    StorageError(
      .inaccessible, "It is not known whether a commit to PostgreSQL at \(address) happened.",
      cause: "\(error)")
  }

  private func attempt(_ commit: PostgresCommit, _ session: PostgresConnection) async throws
    -> [StorageOutcome]
  {
    var commit = commit
    do {
      number += 1
      var first = [PostgresStatements.begin]
      if address.isPooled { first.append(PostgresPooling.settings) }
      first += [
        PostgresStatements.share.with(.number(lock)),
        // Before anything else, so that whoever asks for the number has to wait for the end of this transaction.
        address.statements.number.with(.text(name), .number(number)),
      ]
      let results = try await session.run(first + commit.lock(address.statements))
      guard results[first.count - 2].number(0, 0) != 0 else {
        throw StorageError(
          .inUse, "Another process has the store at \(address) to itself. Close it there first.")
      }
      commit.decide(Array(results.dropFirst(first.count)))
      if commit.isEmpty {
        await rollBack(session)
      } else {
        try await finish(commit, session)
      }
      return commit.outcomes
    } catch let failure as PostgresFailure where failure.endsSession {
      await drop(session)
      throw failure
    } catch let doubt as Doubt {
      await drop(session)
      throw doubt
    } catch {
      await rollBack(session)
      throw error
    }
  }

  private func finish(_ commit: PostgresCommit, _ session: PostgresConnection) async throws {
    var statements = commit.write(address.statements)
    if commit.topics != [] && !address.isPooled {
      statements.append(
        PostgresStatements.notify.with(
          .text(address.table.channel), .text(PostgresNotification.text(from: name, topics: commit.topics))))
    }
    statements.append(PostgresStatements.commit)
    do { _ = try await session.run(statements) } catch let failure as PostgresFailure
      where failure.endsSession
    {
      throw Doubt(outcomes: commit.outcomes, failure: failure)
    }
  }

  private func rollBack(_ session: PostgresConnection) async {
    do { _ = try await session.run([PostgresStatements.rollBack]) } catch {
      // It ends with its session.
      await drop(session)
    }
  }

  /// The number of this object's last commit in the store. Waits for the transaction whose end is not known, if there
  /// is still one.
  private func lastNumber(_ session: PostgresConnection) async throws -> Int64 {
    do {
      let query = address.statements.lastNumber.with(.text(name), .number(0))
      return try await session.run([query])[0].number(0, 0)
    } catch let failure as PostgresFailure {
      if failure.endsSession { await drop(session) }
      throw failure
    }
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
    // Here, and not where it is waited for: who asks next must not get a session that has ended meanwhile.
    defer { opening = nil }
    let connection = PostgresConnection(
      address,
      PostgresConnection.Events(
        notification: { [news, name] text in
          if let commit = PostgresNotification.commit(text, toldTo: name) { news.add(commit) }
        },
        end: { [weak self] session in Task { await self?.drop(session) } }))
    do {
      layout = try await connection.open(
        address.isPooled ? [:] : PostgresSettings.committing(durability)
      ) { [address] in try PostgresLayout($0, address) }
      if !address.isPooled {
        try await hold(connection)
        if durability == .power { _ = try await connection.run([PostgresStatements.durable]) }
      }
      // Who may only read cannot tidy up, and need not.
      _ = try? await connection.run([address.statements.forget])
    } catch {
      await connection.close()
      throw error
    }
    self.connection = connection
    // It may have ended before it was this object's: then nobody has dropped it.
    if let end = await connection.end {
      await drop(connection)
      throw end
    }
    // Of what was committed meanwhile nobody has told.
    news.add(ForeignCommit())
    return connection
  }

  private func hold(_ connection: PostgresConnection) async throws {
    let take = access == .exclusive ? PostgresStatements.own : PostgresStatements.shareForLong
    let results = try await connection.run([
      take.with(.number(lock)), PostgresStatement("listen", "LISTEN \(address.table.channel)"),
    ])
    guard results[0].number(0, 0) != 0 else {
      throw StorageError(
        .inUse,
        access == .exclusive
          ? "The store at \(address) is open elsewhere. Close it there first."
          : "Another process has the store at \(address) to itself. Close it there first.")
    }
  }

  private var lock: Int64 { layout?.lock ?? 0 }

  /// Gives a session up that has ended or is of no use any more. Another one is made at once: others' commits must be heard of.
  private func drop(_ session: PostgresConnection) async {
    guard session === connection else { return }  // it was given up already
    connection = nil
    isLost = access == .exclusive
    await session.close()
    if !isClosed && !isLost { Task { await reconnect() } }
  }

  private func reconnect() async {
    var backoff = PostgresBackoff()
    while !isClosed && connection == nil {
      do { _ = try await session() } catch { await backoff.rest() }
    }
  }
}
