internal import AtomsyncCore
internal import CLMDB

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// A result code of LMDB or of the system, on its way to become a ``StorageError``.
struct LMDBFailure: Error {
  var code: Int32

  /// Throws unless `code` says success.
  static func check(_ code: Int32) throws {
    if code != MDB_SUCCESS { throw LMDBFailure(code: code) }
  }

  /// What the code means for the store at `path`.
  func error(path: String) -> StorageError {
    let (kind, message) = explain(path)
    return StorageError(kind, message, cause: "LMDB \(code): \(String(cString: mdb_strerror(code)))")
  }

  private func explain(_ path: String) -> (StorageError.Code, String) {
    switch code {
    case ENOSPC, EDQUOT, EFBIG,
      EIO where Self.isFull(path):
      // LMDB reports a write that the disk cut short as EIO.
      (.full, "No space is left for \(path). Free some; nothing of this commit was kept.")
    case MDB_TXN_FULL, MDB_MAP_FULL:
      (.full, "The commit is larger than LMDB can take in \(path). Commit less at a time.")
    case MDB_INVALID, MDB_INCOMPATIBLE, MDB_VERSION_MISMATCH:
      (
        .foreign,
        "\(path) is not a store of this LMDB. It was left as it is; choose another path."
      )
    case MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_CURSOR_FULL, MDB_PAGE_FULL:
      (.corrupt, "The store \(path) is damaged. Restore it from a backup, or sync anew.")
    case MDB_PANIC:
      (.failed, "LMDB could not finish a commit in \(path) and stopped. Close the store and open it again.")
    case MDB_READERS_FULL:
      (.inUse, "Too many readers have \(path) open. Close some of them.")
    case EACCES, EPERM, EROFS, ENOENT, ENOTDIR:
      (.inaccessible, "Cannot open \(path). Check that its folder exists and can be written.")
    default:
      (.failed, "LMDB failed on \(path). Check the disk and try again.")
    }
  }

  private static func isFull(_ path: String) -> Bool {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { return false }
    return UInt64(status.f_bavail) * UInt64(status.f_frsize) < 1 << 20
  }
}
