internal import AtomsyncCore
internal import CSQLite

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// One prepared statement, kept for the life of its connection.
///
/// Blobs are bound where they lie, without a copy: bind, step and reset happen inside the closure that lends
/// the bytes.
final class SQLiteStatement {
  private let connection: SQLiteConnection
  private let handle: OpaquePointer

  init(_ connection: SQLiteConnection, _ sql: String) throws {
    var prepared: OpaquePointer?
    try connection.check(
      sqlite3_prepare_v3(
        connection.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil))
    guard let handle = prepared else {
      throw StorageError(.failed, "SQLite prepared nothing for: \(sql)")
    }
    self.connection = connection
    self.handle = handle
  }

  deinit { sqlite3_finalize(handle) }

  /// Binds a blob that must stay where it is until ``reset()``.
  func bind(_ index: Int32, _ bytes: UnsafeRawBufferPointer) throws {
    guard bytes.count > 0, let base = bytes.baseAddress else {
      // A nil pointer would bind NULL, and no bytes are not NULL.
      return try connection.check(sqlite3_bind_zeroblob(handle, index, 0))
    }
    try connection.check(sqlite3_bind_blob64(handle, index, base, UInt64(bytes.count), nil))
  }

  /// Goes to the next row; false when there is none.
  func step() throws -> Bool {
    switch sqlite3_step(handle) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    case let code: throw SQLiteFailure.error(code, connection.handle, path: connection.path)
    }
  }

  /// Steps through a statement that answers no rows, and resets it.
  func run() throws {
    defer { reset() }
    while try step() {}
  }

  func reset() { sqlite3_reset(handle) }

  /// A blob of the current row, valid until the next ``step()`` or ``reset()``.
  func blob(_ column: Int32) -> UnsafeRawBufferPointer {
    // In this order: asking for the blob first may convert it, and settles its length.
    let base = sqlite3_column_blob(handle, column)
    return UnsafeRawBufferPointer(start: base, count: Int(sqlite3_column_bytes(handle, column)))
  }

  func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

  func text(_ column: Int32) -> String {
    sqlite3_column_text(handle, column).map { String(cString: $0) } ?? ""
  }
}

extension UnsafeRawBufferPointer {
  /// Whether these are the bytes of `other`.
  func isEqual(to other: [UInt8]) -> Bool {
    other.withUnsafeBytes { other in
      guard count == other.count else { return false }
      guard count > 0, let mine = baseAddress, let theirs = other.baseAddress else { return true }
      return memcmp(mine, theirs, count) == 0
    }
  }
}
