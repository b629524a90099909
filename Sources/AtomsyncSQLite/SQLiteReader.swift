internal import AtomsyncCore
internal import AtomsyncStorageSupport
internal import CSQLite

/// Answers queries on a connection, each in one deferred transaction, which is one snapshot.
final class SQLiteReader {
  private let connection: SQLiteConnection
  private let file: StoreFile
  private let begin: SQLiteStatement
  private let end: SQLiteStatement
  private let get: SQLiteStatement
  private let forward: SQLiteStatement
  private let forwardToEnd: SQLiteStatement
  private let backward: SQLiteStatement
  private let backwardFromEnd: SQLiteStatement

  /// On a connection of its own.
  ///
  /// - Parameter file: the file that the store was opened at. Another may lie at the path by now.
  convenience init(path: String, file: StoreFile) throws {
    let connection = try SQLiteConnection(path: path, flags: SQLITE_OPEN_READWRITE)
    try connection.execute("PRAGMA query_only = 1; PRAGMA cache_size = -8000")
    try self.init(connection, file)
  }

  /// On a connection that has no transaction open whenever it is asked.
  init(_ connection: SQLiteConnection, _ file: StoreFile) throws {
    func scan(_ condition: String, _ order: String) throws -> SQLiteStatement {
      try SQLiteStatement(connection, "SELECT k, v FROM atomsync WHERE \(condition) ORDER BY k \(order)")
    }
    self.connection = connection
    self.file = file
    self.begin = try SQLiteStatement(connection, "BEGIN")
    self.end = try SQLiteStatement(connection, "COMMIT")
    self.get = try SQLiteStatement(connection, "SELECT v FROM atomsync WHERE k = ?1")
    self.forward = try scan("k >= ?1 AND k < ?2", "ASC")
    self.forwardToEnd = try scan("k >= ?1", "ASC")
    self.backward = try scan("k >= ?1 AND k < ?2", "DESC")
    self.backwardFromEnd = try scan("k >= ?1", "DESC")
  }

  func read(_ query: StorageQuery) throws -> StorageSnapshot {
    try file.check()
    // A single statement is a snapshot by itself, unless a commit's transaction could not be undone.
    if query.keys.count + query.scans.count <= 1 && !connection.isInTransaction { return try answer(query) }
    try begin.run()
    do {
      let snapshot = try answer(query)
      try end.run()
      return snapshot
    } catch {
      if connection.isInTransaction { try? connection.execute("ROLLBACK") }
      throw error
    }
  }

  /// Runs `body` in one transaction, which is one snapshot.
  func pinned<Result>(_ body: (SnapshotRead) throws -> Result) throws -> Result {
    try file.check()
    try begin.run()
    defer { if connection.isInTransaction { try? connection.execute("ROLLBACK") } }
    return try body(answer)
  }

  private func answer(_ query: StorageQuery) throws -> StorageSnapshot {
    StorageSnapshot(values: try query.keys.map(value), scans: try query.scans.map(scan))
  }

  private func value(_ key: [UInt8]) throws -> [UInt8]? {
    try key.withUnsafeBytes { bytes in
      defer { get.reset() }
      try get.bind(1, bytes)
      return try get.step() ? [UInt8](get.blob(0)) : nil
    }
  }

  private func scan(_ scan: StorageScan) throws -> StorageScanResult {
    let statement =
      switch (scan.range.upper != nil, scan.reverse) {
      case (true, false): forward
      case (false, false): forwardToEnd
      case (true, true): backward
      case (false, true): backwardFromEnd
      }
    return try scan.range.lower.withUnsafeBytes { lower in
      guard let upper = scan.range.upper else { return try collect(scan, statement, lower, nil) }
      return try upper.withUnsafeBytes { try collect(scan, statement, lower, $0) }
    }
  }

  private func collect(
    _ scan: StorageScan, _ statement: SQLiteStatement, _ lower: UnsafeRawBufferPointer,
    _ upper: UnsafeRawBufferPointer?
  ) throws -> StorageScanResult {
    defer { statement.reset() }
    try statement.bind(1, lower)
    if let upper { try statement.bind(2, upper) }
    var result = StorageScanResult(entries: [], isComplete: true)
    var bytes = 0
    while try statement.step() {
      guard result.entries.count < scan.limit, result.entries.isEmpty || bytes < scan.byteLimit else {
        result.isComplete = false
        break
      }
      let value = [UInt8](statement.blob(1))
      bytes += value.count
      result.entries.append(StorageEntry(key: [UInt8](statement.blob(0)), value: value))
    }
    return result
  }
}
