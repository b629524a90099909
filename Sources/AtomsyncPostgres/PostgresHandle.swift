internal import CPostgres
internal import Foundation

/// A connection of libpq's.
final class PostgresHandle: @unchecked Sendable {
  // Unchecked, because it is handed to the queue on which dispatch lets go of a source, and libpq lets one thread at a time
  // use a connection (its documentation, "Behavior in Threaded Programs"). Sound, because one `PostgresConnection` or one
  // `PostgresSnapshot` has it, which calls libpq on one serial queue; whoever else refers to it only keeps it alive, and
  // the last of them ends it when nobody can call anything any more.
  let pointer: OpaquePointer
  /// The server has said, unasked, that it ends the session.
  private(set) var isEnding = false
  private let patience: Duration

  /// Connects, and makes the session ready. Blocks, for up to `connect_timeout` a host, and as ``run(_:)`` does.
  ///
  /// - Parameter patience: how long the server may be silent. By default three times `connect_timeout`.
  /// - Throws: ``PostgresFailure``.
  init(_ address: PostgresAddress, settings: [String: String], patience: Duration? = nil) throws {
    self.patience = patience ?? address.connectTimeout * 3
    let parameters = address.parameters.map { ($0, $1) }
    pointer = try Self.withTexts(parameters.map(\.0)) { names in
      try Self.withTexts(parameters.map(\.1)) { values in
        guard let pointer = PQconnectdbParams(names, values, 0) else {
          throw PostgresFailure(connection: nil)
        }
        return pointer
      }
    }
    guard PQstatus(pointer) == CONNECTION_OK else { throw PostgresFailure(connection: pointer) }
    // What the server has to say beside errors is in its log; libpq would write it to this program's.
    PQsetNoticeReceiver(
      pointer,
      { handle, notice in
        let severity = PQresultErrorField(notice, 0x56 /* PG_DIAG_SEVERITY_NONLOCALIZED, 'V' */)
        guard let handle, let severity, String(cString: severity) == "FATAL" else { return }
        Unmanaged<PostgresHandle>.fromOpaque(handle).takeUnretainedValue().isEnding = true
      }, Unmanaged.passUnretained(self).toOpaque())
    if !settings.isEmpty { try set(settings) }
  }

  deinit { PQfinish(pointer) }

  /// Runs a statement and waits for it, for as long as the server is not silent for longer than anybody waits.
  ///
  /// - Throws: ``PostgresFailure``.
  func run(_ statement: PostgresStatement) throws -> PostgresResult {
    let types = statement.parameters.map(\.type)
    let isSent = statement.withParameters { values, lengths, formats in
      PQsendQueryParams(
        pointer, statement.text, Int32(types.count), types, values, lengths, formats, 1 /* binary */)
    }
    guard isSent == 1 else { throw PostgresFailure(connection: pointer) }
    var last: PostgresResult?
    while let result = try next() { last = result }
    guard let last else { throw PostgresFailure(connection: pointer) }
    if let failure = last.failure { throw failure }
    return last
  }

  /// The next result of what was sent; `nil` at the end.
  private func next() throws -> PostgresResult? {
    while PQisBusy(pointer) == 1 { try receive() }
    return PQgetResult(pointer).map(PostgresResult.init)
  }

  /// Waits for something to come.
  private func receive() throws {
    var socket = pollfd(fd: PQsocket(pointer), events: Int16(POLLIN), revents: 0)
    let milliseconds = Int32(clamping: Int64(patience / .milliseconds(1)))
    let count = poll(&socket, 1, milliseconds)
    if count == 0 { throw PostgresFailure.silence(of: patience) }
    guard PQconsumeInput(pointer) == 1 else { throw PostgresFailure(connection: pointer) }
  }

  /// Whether the peer has closed or reset the connection, and all that it sent before is read.
  var isAtEnd: Bool {
    var byte: UInt8 = 0
    let count = recv(PQsocket(pointer), &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
    return count == 0 || count < 0 && ![EAGAIN, EWOULDBLOCK, EINTR].contains(errno)
  }

  /// Those of the settings that this server knows: not every one that speaks PostgreSQL's protocol knows all.
  private func set(_ settings: [String: String]) throws {
    let calls = settings.sorted { $0.key < $1.key }
      .map { "SELECT set_config(name, '\($1)', false) FROM pg_settings WHERE name = '\($0)'" }
    _ = try run(PostgresStatement("set", calls.joined(separator: " UNION ALL ")))
  }

  private static func withTexts<Result>(
    _ texts: [String], _ body: ([UnsafePointer<CChar>?]) throws -> Result
  ) rethrows -> Result {
    let copies = texts.map { Array($0.utf8CString) }
    let all = copies.flatMap(\.self)
    return try all.withUnsafeBufferPointer { memory in
      var offset = 0
      let pointers = copies.map { copy -> UnsafePointer<CChar>? in
        defer { offset += copy.count }
        return memory.baseAddress.map { $0 + offset }
      }
      return try body(pointers + [nil])
    }
  }
}
