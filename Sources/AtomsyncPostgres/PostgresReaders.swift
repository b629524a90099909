internal import AtomsyncCore

/// Answers queries on up to so many connections. What comes while all of them are busy is asked together, in one statement.
final class PostgresReaders: Sendable {
  private typealias Question = (query: StorageQuery, answer: CheckedContinuation<StorageSnapshot, any Error>)

  private struct State {
    var waiting: [Question] = []
    var idle: [PostgresConnection] = []
    /// Connections that are there or being made.
    var count = 0
    /// About so many bytes are asked for in one statement.
    var bytesAtOnce = PostgresReaders.mostBytes
    var isClosed = false
    /// Who waits until the last connection is gone.
    var closers: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Lock(State())
  private let address: PostgresAddress
  private let limit: Int

  /// So many keys and scans are asked for in one statement.
  private static let partsAtOnce = 1_000
  /// The bounds of ``State/bytesAtOnce``: a quarter when a statement took too long, and a little more after each that did not.
  /// What is asked for is mostly not there, so the bound is far above what a slow link takes.
  private static let mostBytes = 64 << 20
  private static let fewestBytes = 4 << 20
  private static let growth = 1 << 20
  /// How long it is tried to get an answer.
  private static let patience = Duration.seconds(30)

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
    while let questions = take() { await answer(questions, on: &connection) }
    await release(connection)
  }

  /// What is asked next: one question that needs several steps, or what can be asked in one statement.
  private func take() -> [Question]? {
    state.withLock { state in
      guard let first = state.waiting.first else { return nil }
      var (parts, bytes) = (0, 0)
      let together = state.waiting.prefix { question in
        if PostgresLongRead.isNeeded(for: question.query) { return false }
        defer {
          parts += question.query.keys.count + question.query.scans.count
          for scan in question.query.scans { bytes += min(scan.byteLimit, Self.mostBytes) }
        }
        return parts < Self.partsAtOnce && bytes < state.bytesAtOnce
      }
      let next = together.isEmpty ? [first] : Array(together)
      state.waiting.removeFirst(next.count)
      return next
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

  private func answer(_ questions: [Question], on connection: inout PostgresConnection?) async {
    do {
      let snapshots = try await read(questions.map(\.query), on: &connection)
      state.withLock { $0.bytesAtOnce = min($0.bytesAtOnce + Self.growth, Self.mostBytes) }
      for (question, snapshot) in zip(questions, snapshots) { question.answer.resume(returning: snapshot) }
    } catch {
      let failure = error as? PostgresFailure
      let tookTooLong = failure?.isTimeout ?? false
      if tookTooLong { state.withLock { $0.bytesAtOnce = max($0.bytesAtOnce / 4, Self.fewestBytes) } }
      let isTheServers = failure?.isWorthAnotherTry ?? false
      if questions.count > 1 && (tookTooLong || !isTheServers) {
        // What one of them met is no reason to fail the others, and what takes too long for all may do for each.
        for question in questions { await answer([question], on: &connection) }
      } else {
        let error = failure?.error(at: address) ?? error
        for question in questions { question.answer.resume(throwing: error) }
      }
    }
  }

  /// Reads on the connection or, where that is lost, on another.
  private func read(_ queries: [StorageQuery], on connection: inout PostgresConnection?) async throws
    -> [StorageSnapshot]
  {
    var backoff = PostgresBackoff()
    let began = ContinuousClock.now
    while true {
      let wasOpen = connection != nil
      do {
        let current = try await open(connection)
        connection = current
        return try await snapshots(queries, on: current)
      } catch {
        await connection?.close()
        connection = nil
        guard let failure = error as? PostgresFailure, failure.isWorthAnotherTry,
          !failure.isTimeout || queries.count == 1, ContinuousClock.now - began < Self.patience
        else { throw error }
        // One that was open may have ended long ago: another is made at once.
        if !wasOpen { await backoff.rest() }
      }
    }
  }

  private func open(_ connection: PostgresConnection?) async throws -> PostgresConnection {
    if let connection { return connection }
    let connection = PostgresConnection(address)
    try await connection.open(address.isPooled ? [:] : PostgresSettings.reading) { _ in }
    return connection
  }

  private func snapshots(_ queries: [StorageQuery], on connection: PostgresConnection) async throws
    -> [StorageSnapshot]
  {
    if queries.count == 1, PostgresLongRead.isNeeded(for: queries[0]) {
      return [try await readLong(queries[0], on: connection)]
    }
    return try await read(PostgresRead(queries), on: connection)
  }

  private func read(_ read: PostgresRead, on connection: PostgresConnection) async throws -> [StorageSnapshot]
  {
    let statement = read.statement(address.statements)
    if !address.isPooled { return read.snapshots(try await connection.run([statement])[0]) }
    let results = try await connection.run([
      PostgresStatements.pin, PostgresPooling.settings, statement, PostgresStatements.commit,
    ])
    return read.snapshots(results[2])
  }

  private func readLong(_ query: StorageQuery, on connection: PostgresConnection) async throws
    -> StorageSnapshot
  {
    var long = PostgresLongRead(query)
    _ = try await connection.run([PostgresStatements.pin])
    while let read = long.next {
      long.take(read.snapshots(try await connection.run([read.statement(address.statements)])[0])[0])
    }
    _ = try await connection.run([PostgresStatements.commit])
    return long.snapshot
  }
}
