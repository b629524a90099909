internal import AtomsyncCore

/// Answers queries on up to so many connections. What comes while all of them are busy is asked together, in one statement.
final class PostgresReaders: Sendable {
  private typealias Answer = CheckedContinuation<StorageSnapshot, any Error>

  private struct State {
    var waiting: [(query: StorageQuery, answer: Answer)] = []
    var idle: [PostgresConnection] = []
    /// Connections that are there or being made.
    var count = 0
    var isClosed = false
    /// Who waits until the last connection is gone.
    var closers: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Lock(State())
  private let address: PostgresAddress
  private let limit: Int

  /// So many keys and scans are asked for in one statement.
  private static let partsAtOnce = 1_000
  /// So many attempts are made to get an answer.
  private static let attempts = 4

  init(_ address: PostgresAddress, limit: Int) {
    self.address = address
    self.limit = limit
  }

  func read(_ query: StorageQuery) async throws -> StorageSnapshot {
    try await withCheckedThrowingContinuation { answer in
      let isClosed = state.withLock { state in
        if !state.isClosed { state.waiting.append((query, answer)) }
        return state.isClosed
      }
      if isClosed { answer.resume(throwing: StorageError.closed) } else { serve() }
    }
  }

  /// Ends when all that was asked is answered.
  func close() async {
    let idle = state.withLock { state in
      state.isClosed = true
      defer {
        state.count -= state.idle.count
        state.idle = []
      }
      return state.idle
    }
    for connection in idle { await connection.close() }
    await withCheckedContinuation { closer in
      let isDone = state.withLock { state in
        if state.count > 0 { state.closers.append(closer) }
        return state.count == 0
      }
      if isDone { closer.resume() }
    }
  }

  /// Puts a connection to work, if there is one to be had.
  private func serve() {
    enum Found {
      case idle(PostgresConnection)
      case room
    }
    let found = state.withLock { state -> Found? in
      if state.waiting.isEmpty { return nil }
      if let connection = state.idle.popLast() { return .idle(connection) }
      guard state.count < limit else { return nil }
      state.count += 1
      return .room
    }
    switch found {
    case .idle(let connection): Task { await serve(on: connection) }
    case .room: Task { await serve(on: nil) }
    case nil: break
    }
  }

  private func serve(on first: PostgresConnection?) async {
    var connection = first
    while let (long, batch) = take() {
      do {
        connection = try await answer(batch, long, on: connection)
      } catch {
        connection = nil
        for part in batch { part.answer.resume(throwing: error) }
      }
    }
    await release(connection)
  }

  /// What is asked next, and whether it is one long read.
  private func take() -> (isLong: Bool, [(query: StorageQuery, answer: Answer)])? {
    state.withLock { state in
      guard let first = state.waiting.first else { return nil }
      if PostgresLongRead.isNeeded(for: first.query) { return (true, [state.waiting.removeFirst()]) }
      var parts = 0
      let batch = state.waiting.prefix { waiting in
        if PostgresLongRead.isNeeded(for: waiting.query) { return false }
        defer { parts += waiting.query.keys.count + waiting.query.scans.count }
        return parts < Self.partsAtOnce
      }
      state.waiting.removeFirst(batch.count)
      return (false, Array(batch))
    }
  }

  private func release(_ connection: PostgresConnection?) async {
    let isKept = state.withLock { state in
      if !state.isClosed, let connection {
        state.idle.append(connection)
        return true
      }
      return false
    }
    if isKept { return serve() }  // something may have come meanwhile
    await connection?.close()
    let closers = state.withLock { state in
      state.count -= 1
      defer { if state.count == 0 { state.closers = [] } }
      return state.count == 0 ? state.closers : []
    }
    for closer in closers { closer.resume() }
    serve()
  }

  /// Answers what was asked, on the connection or, where that is lost, on another, which is returned.
  private func answer(
    _ batch: [(query: StorageQuery, answer: Answer)], _ isLong: Bool, on first: PostgresConnection?
  ) async throws -> PostgresConnection {
    var connection = first
    var backoff = PostgresBackoff()
    var attempt = 0
    while true {
      do {
        let current: PostgresConnection
        if let connection {
          current = connection
        } else {
          current = PostgresConnection(address)
          try await current.open(address.isPooled ? [:] : PostgresSettings.reading) { _ in }
          connection = current
        }
        let snapshots =
          isLong
          ? [try await readLong(batch[0].query, on: current)]
          : try await read(PostgresRead(batch.map(\.query)), on: current)
        for (part, snapshot) in zip(batch, snapshots) { part.answer.resume(returning: snapshot) }
        return current
      } catch let failure as PostgresFailure {
        attempt += 1
        await connection?.close()
        connection = nil
        guard failure.endsSession || failure.isPassing, attempt < Self.attempts else {
          throw failure.error(at: address)
        }
        // A connection that was idle may have ended long ago: the first of those is made anew at once.
        if attempt > 1 || first == nil { try? await Task.sleep(for: backoff.next()) }
      }
    }
  }

  private func read(_ read: PostgresRead, on connection: PostgresConnection) async throws -> [StorageSnapshot]
  {
    let statement = read.statement(address.table)
    if !address.isPooled { return read.snapshots(try await connection.run([statement])[0]) }
    let results = try await connection.run(Self.pinned([PostgresPooling.settings, statement]))
    return read.snapshots(results[2])
  }

  private func readLong(_ query: StorageQuery, on connection: PostgresConnection) async throws
    -> StorageSnapshot
  {
    var long = PostgresLongRead(query)
    _ = try await connection.run([Self.begin])
    while let read = long.next {
      long.take(read.snapshots(try await connection.run([read.statement(address.table)])[0])[0])
    }
    _ = try await connection.run([Self.commit])
    return long.snapshot
  }

  private static let begin = PostgresStatement("pin", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
  private static let commit = PostgresStatement("commit", "COMMIT")

  private static func pinned(_ statements: [PostgresStatement]) -> [PostgresStatement] {
    [begin] + statements + [commit]
  }
}
