internal import AtomsyncCore
internal import CLMDB

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// Answers queries, each in one read transaction, which is one snapshot.
final class LMDBReader {
  private let lease: LMDBLease
  /// Kept between queries: renewing it is cheaper than beginning anew, and its place in the table is sure.
  private var idle: OpaquePointer?

  var path: String { lease.environment.path }

  init(_ lease: LMDBLease) { self.lease = lease }

  deinit { if let idle { mdb_txn_abort(idle) } }

  /// - Throws: ``LMDBFailure``, with `MDB_MAP_RESIZED` when another process has grown the map.
  func read(_ query: StorageQuery) throws -> StorageSnapshot { try pinned { try $0(query) } }

  /// Runs `body` in one transaction, which is one snapshot. The map stays where it is until then.
  ///
  /// - Throws: ``LMDBFailure``, with `MDB_MAP_RESIZED` when another process has grown the map; what `body` throws.
  func pinned<Result: Sendable>(_ body: (SnapshotRead) throws -> Result) throws -> Result {
    try lease.environment.file.check()
    return try lease.environment.map.sync {
      let transaction = try begin()
      defer {
        mdb_txn_reset(transaction)
        idle = transaction
      }
      return try body { try self.answer($0, transaction) }
    }
  }

  private func answer(_ query: StorageQuery, _ transaction: OpaquePointer) throws -> StorageSnapshot {
    let database = lease.environment.database
    return StorageSnapshot(
      values: try query.keys.map { try LMDBBytes.get(transaction, database, $0) { [UInt8]($0) } },
      scans: try scans(query.scans, transaction))
  }

  /// The number of the last transaction of any process.
  func lastTransaction() throws -> Int64 { try lease.environment.lastTransaction() }

  private func begin() throws -> OpaquePointer {
    if let idle {
      self.idle = nil
      let code = mdb_txn_renew(idle)
      if code == MDB_SUCCESS { return idle }
      mdb_txn_abort(idle)
      try LMDBFailure.check(code)
    }
    let environment = lease.environment.handle
    var begun: OpaquePointer?
    var code = mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &begun)
    if code == MDB_READERS_FULL {
      mdb_reader_check(environment, nil)  // the dead may have left places
      code = mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &begun)
    }
    try LMDBFailure.check(code)
    guard let begun else { throw LMDBFailure(code: ENOMEM) }
    return begun
  }

  private func scans(
    _ scans: [StorageScan], _ transaction: OpaquePointer
  ) throws -> [StorageScanResult] {
    if scans.isEmpty { return [] }
    var opened: OpaquePointer?
    try LMDBFailure.check(mdb_cursor_open(transaction, lease.environment.database, &opened))
    guard let opened else { throw LMDBFailure(code: ENOMEM) }
    defer { mdb_cursor_close(opened) }
    return try scans.map { try LMDBCursor(handle: opened).scan($0) }
  }
}
