internal import AtomsyncCore
internal import CLMDB

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// LMDB's calls on Swift's bytes, lent for the length of the call and never copied on the way in.
enum LMDBBytes {
  /// The longest key of a standard build of LMDB.
  static let maximumKeyLength = 511

  /// Whether LMDB can hold `key` at all. What it cannot hold is absent.
  static func canHold(_ key: [UInt8]) -> Bool { (1...maximumKeyLength).contains(key.count) }

  /// Hands the value at `key` to `body`, valid only in there; `nil` if there is none.
  static func get<Result>(
    _ transaction: OpaquePointer, _ database: MDB_dbi, _ key: [UInt8],
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result? {
    guard canHold(key) else { return nil }
    var found = MDB_val()
    let code = lend(key) { mdb_get(transaction, database, &$0, &found) }
    if code == MDB_NOTFOUND { return nil }
    try LMDBFailure.check(code)
    return try body(found.bytes)
  }

  static func put(
    _ transaction: OpaquePointer, _ database: MDB_dbi, _ key: [UInt8], _ value: [UInt8]
  ) throws {
    try LMDBFailure.check(
      lend(key) { key in lend(value) { value in mdb_put(transaction, database, &key, &value, 0) } })
  }

  /// Deletes `key`. False: it was not there.
  static func delete(_ transaction: OpaquePointer, _ database: MDB_dbi, _ key: [UInt8]) throws -> Bool {
    guard canHold(key) else { return false }
    let code = lend(key) { mdb_del(transaction, database, &$0, nil) }
    if code == MDB_NOTFOUND { return false }
    try LMDBFailure.check(code)
    return true
  }

  /// `bytes` as LMDB wants them, for the length of `body`.
  static func lend<Result>(
    _ bytes: [UInt8], _ body: (inout MDB_val) throws -> Result
  ) rethrows -> Result {
    try bytes.withUnsafeBytes { buffer in
      var value = MDB_val(
        mv_size: buffer.count, mv_data: UnsafeMutableRawPointer(mutating: buffer.baseAddress))
      return try body(&value)
    }
  }
}

extension MDB_val {
  /// The bytes where LMDB has them: valid until the transaction ends or writes.
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: mv_data, count: mv_size) }
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
