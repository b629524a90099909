internal import AtomsyncCore
internal import AtomsyncStorageSupport
internal import CSQLite

/// The connection that commits, and holds the store's lock for as long as it lives.
final class SQLiteWriter {
  /// Answers queries between two commits, on the same connection.
  let reader: SQLiteReader
  /// Pages in the log from which commits copy it into the database, without waiting for anyone: SQLite's own
  /// default, 4 MB.
  private static let checkpointPages: Int32 = 1_000
  /// Pages from which a commit waits for readers, so that the log starts over: 16 MB. Only then can readers
  /// that never pause no longer make it grow.
  private static let restartPages: Int32 = 4_000
  private static let restartMilliseconds: Int32 = 200

  private let connection: SQLiteConnection
  private let lock: FileLock
  private let file: StoreFile
  private let begin: SQLiteStatement
  private let commit: SQLiteStatement
  private let get: SQLiteStatement
  private let put: SQLiteStatement
  private let delete: SQLiteStatement
  private let version: SQLiteStatement
  /// The log's length after the last commit, written by SQLite's hook.
  private let logPages: UnsafeMutablePointer<Int32>
  private var nextRestart = restartPages

  init(path: String, lock: FileLock, synchronous: String) throws {
    let connection = try SQLiteConnection(path: path, flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
    try SQLiteLayout.prepare(connection)
    try connection.execute(
      """
      PRAGMA synchronous = \(synchronous);
      PRAGMA journal_size_limit = \(Int(Self.restartPages) * 4096);
      PRAGMA cache_size = -16000
      """)
    self.connection = connection
    self.lock = lock
    self.file = try StoreFile(path, growsOnly: false)  // SQLite's own VACUUM makes it smaller
    self.reader = try SQLiteReader(connection, file)
    self.begin = try SQLiteStatement(connection, "BEGIN IMMEDIATE")
    self.commit = try SQLiteStatement(connection, "COMMIT")
    self.get = try SQLiteStatement(connection, "SELECT v FROM atomsync WHERE k = ?1")
    self.put = try SQLiteStatement(
      connection, "INSERT INTO atomsync(k, v) VALUES(?1, ?2) ON CONFLICT(k) DO UPDATE SET v = excluded.v")
    self.delete = try SQLiteStatement(connection, "DELETE FROM atomsync WHERE k = ?1")
    self.version = try SQLiteStatement(connection, "PRAGMA data_version")
    self.logPages = .allocate(capacity: 1)
    logPages.initialize(to: 0)
    // Takes the place of SQLite's automatic checkpoint.
    sqlite3_wal_hook(
      connection.handle,
      { context, _, _, pages in
        context?.assumingMemoryBound(to: Int32.self).pointee = pages
        return SQLITE_OK
      }, logPages)
  }

  deinit {
    sqlite3_wal_hook(connection.handle, nil, nil)
    logPages.deallocate()
  }

  func commit(_ batches: [StorageBatch]) throws -> [StorageOutcome] {
    try file.check()
    try begin.run()
    do {
      let outcomes = try batches.map(apply)
      try commit.run()
      // Who is told of a commit finds it after the next start.
      try file.check()
      tendLog()
      return outcomes
    } catch {
      // Some errors have rolled back by themselves.
      if connection.isInTransaction { try? connection.execute("ROLLBACK") }
      throw error
    }
  }

  /// Changes when another connection has committed, never by a commit of this one.
  func dataVersion() throws -> Int64 {
    defer { version.reset() }
    return try version.step() ? version.integer(0) : 0
  }

  /// Moves the log into the database and empties it, unless others are using it.
  func finish() {
    sqlite3_busy_timeout(connection.handle, Self.restartMilliseconds)
    sqlite3_wal_checkpoint_v2(connection.handle, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
  }

  private func apply(_ batch: StorageBatch) throws -> StorageOutcome {
    for precondition in batch.preconditions where try !holds(precondition) {
      return .refused(key: precondition.key)
    }
    for write in batch.writes {
      switch write {
      case .put(let key, let value):
        try key.withUnsafeBytes { key in
          try value.withUnsafeBytes { value in
            try put.bind(1, key)
            try put.bind(2, value)
            try put.run()
          }
        }
      case .delete(let key):
        try key.withUnsafeBytes { key in
          try delete.bind(1, key)
          try delete.run()
        }
      }
    }
    return .committed
  }

  private func holds(_ precondition: StoragePrecondition) throws -> Bool {
    try precondition.key.withUnsafeBytes { key in
      defer { get.reset() }
      try get.bind(1, key)
      let exists = try get.step()
      switch precondition {
      case .absent: return !exists
      case .equals(_, let expected): return exists && get.blob(0).isEqual(to: expected)
      }
    }
  }

  /// Keeps the log short. A checkpoint that fails loses nothing: the commit stands in the log.
  private func tendLog() {
    let pages = logPages.pointee
    if pages < Self.checkpointPages {
      nextRestart = Self.restartPages
    } else if pages < nextRestart {
      sqlite3_wal_checkpoint_v2(connection.handle, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
    } else {
      sqlite3_busy_timeout(connection.handle, Self.restartMilliseconds)
      let code = sqlite3_wal_checkpoint_v2(
        connection.handle, nil, SQLITE_CHECKPOINT_RESTART, nil, nil)
      sqlite3_busy_timeout(connection.handle, SQLiteLayout.busyMilliseconds)
      // Somebody reads without end: wait again a while later, not at each commit.
      if code != SQLITE_OK { nextRestart = pages + Self.checkpointPages }
    }
  }
}
