internal import AtomsyncCore
internal import AtomsyncStorageSupport
internal import CSQLite

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

extension SQLiteStorage {
  /// Writes a copy of the store at `path`, as it is at one moment, to a file that does not exist yet. The store may be in use, by this process and
  /// by others; the copy is a store of its own, and as small as it can be. By SQLite's `VACUUM INTO`.
  ///
  /// - Throws: `StorageError`: `foreign` when there is no store at `path`, `inaccessible` when the target exists or cannot be
  ///   written, `full`. Nothing is left of a copy that failed.
  public static func backUp(_ path: String, to target: String) async throws {
    try await BlockingQueue("atomsync.sqlite.backup").run {
      try SQLiteMaintenance.backUp(CanonicalPath.of(path), to: target)
    }
  }

  /// Gives the space of what was removed back to the file system. Nobody else may have the store open. It takes as much space
  /// again meanwhile. By SQLite's `VACUUM`: when it fails, or the process dies, the store is as it was.
  ///
  /// - Throws: `StorageError`: `inUse`, `foreign`, `full`.
  public static func compact(_ path: String) async throws {
    try await BlockingQueue("atomsync.sqlite.compact").run {
      let path = CanonicalPath.of(path)
      try SQLiteMaintenance.requireStore(path)
      let lock = try FileLock(path: path + ".lock", exclusive: true)
      try SQLiteMaintenance.compact(path)
      withExtendedLifetime(lock) {}
    }
  }
}

private enum SQLiteMaintenance {
  static func backUp(_ path: String, to target: String) throws {
    let connection = try connection(to: path)
    // SQLite fills an empty file, which is its owner's alone.
    let file = create(target)
    guard file >= 0 else { throw failure(target) }
    defer { close(file) }
    do {
      try connection.execute("VACUUM INTO '\(target.replacing("'", with: "''"))'")
      guard fsync(file) == 0 else { throw failure(target) }
    } catch {
      unlink(target)
      throw error
    }
  }

  static func compact(_ path: String) throws {
    try connection(to: path).execute("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")
  }

  private static func create(_ path: String) -> Int32 {
    open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
  }

  /// Opening what is no store would make one of it.
  static func requireStore(_ path: String) throws {
    try SQLiteLayout.inspect(path)
    var status = stat()
    guard stat(path, &status) == 0, status.st_size > 0 else {
      throw StorageError(.foreign, "There is no store at \(path). Is it the right path?")
    }
  }

  private static func connection(to path: String) throws -> SQLiteConnection {
    try requireStore(path)
    return try SQLiteConnection(path: path, flags: SQLITE_OPEN_READWRITE)
  }

  /// What the system has just said of a target.
  private static func failure(_ path: String) -> StorageError {
    let reason = String(cString: strerror(errno))
    return errno == ENOSPC
      ? StorageError(.full, "No space is left for \(path). Free some.", cause: reason)
      : StorageError(.inaccessible, "\(path) cannot be written. Choose another path.", cause: reason)
  }
}
