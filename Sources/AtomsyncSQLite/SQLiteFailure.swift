internal import AtomsyncCore
internal import CSQLite

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// Says what SQLite's result codes mean for a store.
enum SQLiteFailure {
  /// The error for `code`, which the last call on `handle` answered.
  static func error(_ code: Int32, _ handle: OpaquePointer?, path: String) -> StorageError {
    let system = handle.map { sqlite3_system_errno($0) } ?? 0
    let (kind, message) = explain(code & 0xFF, system: system, path: path)
    return StorageError(kind, message, cause: cause(code, handle, system: system))
  }

  private static func explain(
    _ code: Int32, system: Int32, path: String
  ) -> (StorageError.Code, String) {
    let hasNoSpace = [ENOSPC, EDQUOT, EFBIG].contains(system)
    switch code {
    case SQLITE_FULL,
      SQLITE_IOERR where hasNoSpace,
      SQLITE_CANTOPEN where hasNoSpace:
      return (.full, "No space is left for \(path). Free some; nothing of this commit was kept.")
    case SQLITE_TOOBIG:
      return (.full, "A value is larger than SQLite can hold in \(path). Store smaller values.")
    case SQLITE_NOTADB:
      return (.foreign, "\(path) is not a SQLite database. Choose another path, or move that file away.")
    case SQLITE_CORRUPT:
      return (.corrupt, "The database \(path) is damaged. Restore it from a backup, or sync anew.")
    case SQLITE_BUSY, SQLITE_LOCKED:
      return (
        .inUse,
        "Another process has been writing \(path) for over \(SQLiteLayout.busyMilliseconds / 1000) s. "
          + "Close it, or try again."
      )
    case SQLITE_CANTOPEN:
      return (.inaccessible, "Cannot open \(path). Check that its folder exists and can be written.")
    case SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH:
      return (.inaccessible, "Cannot write \(path). Check the rights of the file and of its folder.")
    default:
      return (.failed, "SQLite failed on \(path). Check the disk and try again.")
    }
  }

  private static func cause(_ code: Int32, _ handle: OpaquePointer?, system: Int32) -> String {
    var text = "SQLite \(code): "
    if let handle {
      text += String(cString: sqlite3_errmsg(handle))
    } else {
      text += String(cString: sqlite3_errstr(code))
    }
    let isAboutFiles = [SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_FULL].contains(code & 0xFF)
    if isAboutFiles, system != 0 { text += "; " + String(cString: strerror(system)) }
    return text
  }
}
