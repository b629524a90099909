internal import AtomsyncCore
internal import CPostgres
internal import Dispatch

/// A session with a PostgreSQL server: statements go out as they come, without waiting for the answers to those before
/// (libpq's pipeline mode), and no thread waits for any.
actor PostgresConnection {
  /// What is told by ``PostgresConnection`` as it happens.
  struct Events: Sendable {
    /// A notification's payload.
    var notification: @Sendable (String) -> Void = { _ in }
    /// The connection has ended, and not by ``close()``.
    var end: @Sendable (PostgresConnection) -> Void = { _ in }
  }

  /// Statements that were sent together.
  private struct Exchange {
    var continuation: CheckedContinuation<[PostgresResult], any Error>
    /// Which of the answers that are to come are statements' (`nil`), which are their preparations', by name.
    var expected: [String?]
    var results: [PostgresResult] = []
    var failure: PostgresFailure?
    var began = ContinuousClock.now
  }

  nonisolated let executor = PostgresQueue()
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  private let address: PostgresAddress
  private let events: Events
  private var handle: PostgresHandle?
  private var reading: (any DispatchSourceRead)?
  /// While the socket takes no more.
  private var writing: (any DispatchSourceWrite)?
  private var exchanges: [Exchange] = []
  private var prepared: Set<String> = []
  private var isWatched = false
  /// Why it has ended.
  private(set) var end: PostgresFailure?

  /// How long an answer may take before the connection is given up for dead. The server gives a statement up earlier.
  private static let patience = Duration.seconds(40)

  /// A connection that has to be opened.
  init(_ address: PostgresAddress, _ events: Events = Events()) {
    self.address = address
    self.events = events
  }

  /// - Parameters:
  ///   - settings: of the session.
  ///   - prepare: is done before anything else, and may wait for the server.
  /// - Throws: ``PostgresFailure``; what `prepare` throws.
  func open<Result: Sendable>(
    _ settings: [String: String], _ prepare: @Sendable (PostgresHandle) throws -> Result
  ) throws -> Result {
    // Blocks the connection's own thread: nobody else waits for it yet, and libpq alone knows when to go on to the next host.
    let handle = try PostgresHandle(address, settings: settings)
    let result = try prepare(handle)
    guard PQsetnonblocking(handle.pointer, 1) == 0, PQenterPipelineMode(handle.pointer) == 1 else {
      throw PostgresFailure(connection: handle.pointer)
    }
    let source = DispatchSource.makeReadSource(
      fileDescriptor: PQsocket(handle.pointer), queue: executor.queue)
    source.setEventHandler { [weak self] in self?.assumeIsolated { $0.receive() } }
    // The socket is closed once nothing looks at it any more.
    source.setCancelHandler { withExtendedLifetime(handle) {} }
    source.activate()
    self.handle = handle
    reading = source
    return result
  }

  /// Sends statements and waits for their results. After one that fails, the rest are skipped.
  ///
  /// - Throws: ``PostgresFailure``: of the first one that failed, or that the connection is lost.
  func run(_ statements: [PostgresStatement]) async throws -> [PostgresResult] {
    try await withCheckedThrowingContinuation { send(statements, $0) }
  }

  /// Ends the session.
  func close() { stop(PostgresFailure("The connection is closed.")) }

  // MARK: Sending

  private func send(
    _ statements: [PostgresStatement], _ continuation: CheckedContinuation<[PostgresResult], any Error>
  ) {
    guard let handle else {
      continuation.resume(throwing: end ?? PostgresFailure("The connection is not open."))
      return
    }
    var exchange = Exchange(continuation: continuation, expected: [])
    var isSent = true
    for statement in statements where isSent {
      let types = statement.parameters.map(\.type)
      // Behind a pooler the next transaction may be on a session that knows nothing of it.
      if !address.isPooled && prepared.insert(statement.name).inserted {
        exchange.expected.append(statement.name)
        isSent = PQsendPrepare(handle.pointer, statement.name, statement.text, Int32(types.count), types) == 1
      }
      exchange.expected.append(nil)
      isSent = isSent && send(statement, types, handle)
    }
    exchanges.append(exchange)
    if isSent && PQpipelineSync(handle.pointer) == 1 { flush() } else { lose() }
    watch()
  }

  private func send(_ statement: PostgresStatement, _ types: [Oid], _ handle: PostgresHandle) -> Bool {
    statement.withParameters { values, lengths, formats in
      let count = Int32(types.count)
      return address.isPooled
        ? PQsendQueryParams(handle.pointer, statement.text, count, types, values, lengths, formats, 1) == 1
        : PQsendQueryPrepared(handle.pointer, statement.name, count, values, lengths, formats, 1) == 1
    }
  }

  private func flush() {
    guard let handle else { return }
    switch PQflush(handle.pointer) {
    case 0:
      writing?.cancel()
      writing = nil
    case 1 where writing == nil:
      let source = DispatchSource.makeWriteSource(
        fileDescriptor: PQsocket(handle.pointer), queue: executor.queue)
      source.setEventHandler { [weak self] in self?.assumeIsolated { $0.flush() } }
      source.setCancelHandler { withExtendedLifetime(handle) {} }
      source.activate()
      writing = source
    case 1: break
    default: lose()
    }
  }

  // MARK: Receiving

  private func receive() {
    guard let session = self.handle else { return }
    let handle = session.pointer
    guard PQconsumeInput(handle) == 1 else { return lose() }
    // Between the answers to two statements libpq gives nothing, once or twice.
    var pauses = 0
    while !exchanges.isEmpty, pauses < 3, PQisBusy(handle) == 0 {
      guard let result = PQgetResult(handle) else {
        pauses += 1
        continue
      }
      pauses = 0
      take(result)
    }
    while let notification = PQnotifies(handle) {
      events.notification(String(cString: notification.pointee.extra))
      PQfreemem(notification)
    }
    // Seen at once: dispatch tells of a peer that is gone only once, and may have done so with the last that it sent.
    if PQstatus(handle) != CONNECTION_OK || session.isEnding || session.isAtEnd { return lose() }
    flush()
  }

  private func take(_ result: OpaquePointer) {
    switch PQresultStatus(result) {
    case PGRES_PIPELINE_SYNC:
      PQclear(result)
      let exchange = exchanges.removeFirst()
      if let failure = exchange.failure {
        exchange.continuation.resume(throwing: failure)
      } else {
        exchange.continuation.resume(returning: exchange.results)
      }
    case PGRES_PIPELINE_ABORTED:
      PQclear(result)
      forget()
    case PGRES_FATAL_ERROR:
      exchanges[0].failure = PostgresFailure(result)
      PQclear(result)
      forget()
    default:
      guard !exchanges[0].expected.isEmpty else { return PQclear(result) }
      if exchanges[0].expected.removeFirst() == nil {
        exchanges[0].results.append(PostgresResult(result))
      } else {
        PQclear(result)
      }
    }
  }

  /// What did not come to be prepared is prepared again when it is needed.
  private func forget() {
    guard !exchanges[0].expected.isEmpty else { return }
    if let name = exchanges[0].expected.removeFirst() { prepared.remove(name) }
  }

  // MARK: Ending

  /// Sees now and then that answers come.
  private func watch() {
    if isWatched || exchanges.isEmpty { return }
    isWatched = true
    executor.queue.asyncAfter(deadline: .now() + 1) { [weak self] in
      self?.assumeIsolated { connection in
        connection.isWatched = false
        if let first = connection.exchanges.first, .now - first.began > Self.patience {
          connection.stop(.silence(of: Self.patience))
          connection.events.end(connection)
        }
        connection.watch()
      }
    }
  }

  private func lose() {
    if end != nil { return }
    stop(PostgresFailure(connection: handle?.pointer))
    events.end(self)
  }

  private func stop(_ failure: PostgresFailure) {
    if end != nil { return }
    end = failure
    reading?.cancel()
    writing?.cancel()
    (reading, writing, handle) = (nil, nil, nil)
    for exchange in exchanges {
      // What the server said last tells more than that it is gone.
      exchange.continuation.resume(
        throwing: exchange.failure.map { $0.endsSession ? $0 : failure } ?? failure)
    }
    exchanges = []
  }
}
