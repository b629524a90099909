internal import CPostgres

/// What a statement came to.
final class PostgresResult: @unchecked Sendable {
  // Unchecked, because the compiler knows nothing of libpq's memory. Sound, because a result does not change once it has
  // come, so that libpq lets it be read and freed by any thread (its documentation, "Behavior in Threaded Programs"), and
  // only this object frees it.
  private let handle: OpaquePointer

  /// Takes the result over.
  init(_ handle: OpaquePointer) { self.handle = handle }

  deinit { PQclear(handle) }

  /// `nil`: it succeeded.
  var failure: PostgresFailure? {
    switch PQresultStatus(handle) {
    case PGRES_COMMAND_OK, PGRES_TUPLES_OK: nil
    default: PostgresFailure(handle)
    }
  }

  var rows: Range<Int32> { 0..<PQntuples(handle) }

  /// A column's bytes; `nil` for `NULL`.
  func bytes(_ row: Int32, _ column: Int32) -> [UInt8]? {
    if PQgetisnull(handle, row, column) != 0 { return nil }
    return Array(
      UnsafeRawBufferPointer(
        start: PQgetvalue(handle, row, column), count: Int(PQgetlength(handle, row, column))))
  }

  func text(_ row: Int32, _ column: Int32) -> String? {
    bytes(row, column).map { String(decoding: $0, as: UTF8.self) }
  }

  /// A column of whichever integer type, or a boolean; 0 for `NULL`.
  func number(_ row: Int32, _ column: Int32) -> Int64 {
    guard PQgetisnull(handle, row, column) == 0, let start = PQgetvalue(handle, row, column) else { return 0 }
    return UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(handle, row, column)))
      .reduce(0) { $0 << 8 | Int64($1) }
  }
}
