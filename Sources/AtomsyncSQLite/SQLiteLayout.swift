internal import AtomsyncCore
internal import CSQLite

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// What an Atomsync database looks like, and how one is told from all others.
///
/// The `application_id` in the file's header says that it is ours, `user_version` which layout it has. Layout 1
/// is the one table of ``createTable``.
enum SQLiteLayout {
  /// `Atsy` in ASCII.
  static let applicationID: Int64 = 0x4174_7379
  static let version: Int64 = 1
  static let busyMilliseconds: Int32 = 5_000
  /// With row numbers and an index of keys, not `WITHOUT ROWID`: measured at 400 bytes a value, commits of
  /// scattered keys are 2 to 4.5 times as fast, because fewer pages go to the log (77,000 records a second
  /// against 17,000), point reads 1.7 times; scans are the slower ones (300,000 against 780,000).
  static let createTable = "CREATE TABLE atomsync(k BLOB NOT NULL PRIMARY KEY, v BLOB NOT NULL)"

  /// Refuses what is not ours by looking at the file's header, without a lock and without writing anything,
  /// not even the files that SQLite puts beside a database.
  static func inspect(_ path: String) throws {
    guard let size = size(path) else { return }  // nothing there
    if size < 0 { throw foreign(path, "a folder") }
    if size == 0 {
      // SQLite would throw away what such a log holds.
      if (self.size(path + "-wal") ?? 0) > 0 { throw foreign(path, "an empty file beside a log") }
      return
    }
    let header = try readHeader(path)
    if header.starts(with: Array("SQLite format 3\0".utf8)), header.count == 100 {
      try judge(
        path, application: bigEndian(header[68..<72]), version: bigEndian(header[60..<64]))
    } else if header.contains(where: { $0 != 0 }) || (self.size(path + "-journal") ?? 0) == 0 {
      // Zeros beside a journal are a creation that lost power: SQLite rolls it back.
      throw foreign(path, "not a SQLite database")
    }
  }

  /// Creates the layout in an empty database, or checks the one that is there, now with its log.
  static func prepare(_ connection: SQLiteConnection) throws {
    let path = connection.path
    // A new store is for its owner alone; the files beside it get the same mode.
    if size(path) == 0 { chmod(path, 0o600) }
    try connection.execute("PRAGMA synchronous = FULL")
    if try connection.pragma("application_id").number != applicationID {
      try connection.execute("BEGIN IMMEDIATE")
      do {
        if try connection.pragma("application_id").number == 0,
          try connection.pragma("schema_version").number == 0
        {
          try connection.execute(createTable)
          try connection.execute("PRAGMA application_id = \(applicationID)")
          try connection.execute("PRAGMA user_version = \(version)")
        }
        try connection.execute("COMMIT")
      } catch {
        if connection.isInTransaction { try? connection.execute("ROLLBACK") }
        throw error
      }
    }
    try judge(
      path, application: try connection.pragma("application_id").number,
      version: try connection.pragma("user_version").number)
    try useLog(connection)
  }

  private static func judge(_ path: String, application: Int64, version: Int64) throws {
    guard application == applicationID else {
      throw foreign(path, "a SQLite database of another program")
    }
    guard version <= self.version else {
      throw StorageError(
        .newerFormat,
        "A newer Atomsync wrote \(path) (layout \(version), known here: \(self.version)). Update this program."
      )
    }
  }

  /// Turns the write-ahead log on. Two processes that create a store together may find each other in the way,
  /// and SQLite does not wait by itself here.
  private static func useLog(_ connection: SQLiteConnection) throws {
    for attempt in 1... {
      do {
        let mode = try connection.pragma("journal_mode = WAL").text
        if mode == "wal" { return }
        throw StorageError(
          .inaccessible,
          "The file system of \(connection.path) cannot hold a write-ahead log. Use a local disk.",
          cause: "journal mode \(mode)")
      } catch let error as StorageError where error.code == .inUse && attempt < 100 {
        sqlite3_sleep(busyMilliseconds / 100)
      }
    }
  }

  /// The first 100 bytes, read through SQLite's own file object: closing a descriptor of our own would drop
  /// the locks that other connections of this process hold on the file.
  private static func readHeader(_ path: String) throws -> [UInt8] {
    let connection = try SQLiteConnection(path: path, flags: SQLITE_OPEN_READONLY)
    var file: UnsafeMutablePointer<sqlite3_file>?
    try connection.check(
      sqlite3_file_control(connection.handle, "main", SQLITE_FCNTL_FILE_POINTER, &file))
    guard let file, let read = file.pointee.pMethods?.pointee.xRead else {
      throw StorageError(.failed, "SQLite has no file for \(path).")
    }
    var header = [UInt8](repeating: 0, count: 100)
    let code = header.withUnsafeMutableBytes { read(file, $0.baseAddress, Int32($0.count), 0) }
    // A short file is filled up with zeros.
    if code != SQLITE_IOERR | (2 << 8) { try connection.check(code) }
    return header
  }

  /// The size of a file, -1 for a folder, `nil` if there is nothing.
  private static func size(_ path: String) -> Int? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return status.st_mode & S_IFMT == S_IFDIR ? -1 : Int(status.st_size)
  }

  private static func bigEndian(_ bytes: ArraySlice<UInt8>) -> Int64 {
    bytes.reduce(0) { $0 << 8 | Int64($1) }
  }

  private static func foreign(_ path: String, _ what: String) -> StorageError {
    StorageError(
      .foreign,
      "\(path) is \(what), not an Atomsync store. It was left as it is; choose another path.")
  }
}
