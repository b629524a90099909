internal import AtomsyncCore
internal import CSQLite

/// One connection to a database file. Not safe to share: it lives on one queue.
final class SQLiteConnection {
  let handle: OpaquePointer
  let path: String

  /// - Parameter flags: of `sqlite3_open_v2`; the file is opened at once, though not looked at.
  init(path: String, flags: Int32) throws {
    var opened: OpaquePointer?
    let code = sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_NOMUTEX, nil)
    guard code == SQLITE_OK, let handle = opened else {
      defer { sqlite3_close_v2(opened) }
      throw SQLiteFailure.error(code, opened, path: path)
    }
    self.handle = handle
    self.path = path
    sqlite3_extended_result_codes(handle, 1)
    sqlite3_busy_timeout(handle, SQLiteLayout.busyMilliseconds)
  }

  deinit { sqlite3_close_v2(handle) }

  /// Whether a transaction is open.
  var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

  /// Runs statements that answer nothing of interest.
  func execute(_ sql: String) throws {
    try check(sqlite3_exec(handle, sql, nil, nil, nil))
  }

  /// The first column of the first row, as a number and as text.
  func pragma(_ name: String) throws -> (number: Int64, text: String) {
    let statement = try SQLiteStatement(self, "PRAGMA \(name)")
    defer { statement.reset() }
    guard try statement.step() else { return (0, "") }
    return (statement.integer(0), statement.text(0))
  }

  func check(_ code: Int32) throws {
    if code != SQLITE_OK { throw SQLiteFailure.error(code, handle, path: path) }
  }
}
