internal import AtomsyncCore
internal import CLMDB

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// A cursor over the records of one snapshot.
struct LMDBCursor {
  let handle: OpaquePointer
  private typealias Place = (key: MDB_val, value: MDB_val)

  func scan(_ scan: StorageScan) throws -> StorageScanResult {
    var result = StorageScanResult(entries: [], isComplete: true)
    var bytes = 0
    var place = try scan.reverse ? last(before: scan.range.upper) : first(from: scan.range.lower)
    while let (key, value) = place {
      let isBeyond =
        scan.reverse
        ? order(key, scan.range.lower) < 0 : scan.range.upper.map { order(key, $0) >= 0 } ?? false
      if isBeyond { break }
      guard result.entries.count < scan.limit, result.entries.isEmpty || bytes < scan.byteLimit else {
        result.isComplete = false
        break
      }
      bytes += value.mv_size
      result.entries.append(StorageEntry(key: [UInt8](key.bytes), value: [UInt8](value.bytes)))
      place = try move(scan.reverse ? MDB_PREV : MDB_NEXT)
    }
    return result
  }

  private func first(from lower: [UInt8]) throws -> Place? {
    guard let place = try seek(lower) else { return nil }
    // LMDB was asked for the beginning of a bound that is longer than any key.
    return order(place.key, lower) < 0 ? try move(MDB_NEXT) : place
  }

  private func last(before upper: [UInt8]?) throws -> Place? {
    guard let upper else { return try move(MDB_LAST) }
    guard let place = try seek(upper) else { return try move(MDB_LAST) }
    return order(place.key, upper) < 0 ? place : try move(MDB_PREV)
  }

  /// The first entry at or after as much of `key` as a key can have.
  private func seek(_ key: [UInt8]) throws -> Place? {
    if key.isEmpty { return try move(MDB_FIRST) }
    let start = key.count > LMDBBytes.maximumKeyLength ? Array(key.prefix(LMDBBytes.maximumKeyLength)) : key
    return try LMDBBytes.lend(start) { start in
      var value = MDB_val()
      return try place(mdb_cursor_get(handle, &start, &value, MDB_SET_RANGE), start, value)
    }
  }

  private func move(_ operation: MDB_cursor_op) throws -> Place? {
    var key = MDB_val()
    var value = MDB_val()
    let code = mdb_cursor_get(handle, &key, &value, operation)
    return try place(code, key, value)
  }

  private func place(_ code: Int32, _ key: MDB_val, _ value: MDB_val) throws -> Place? {
    if code == MDB_NOTFOUND { return nil }
    try LMDBFailure.check(code)
    return (key, value)
  }

  /// Below zero when the stored key comes before `other`, by unsigned bytes, shorter first.
  private func order(_ key: MDB_val, _ other: [UInt8]) -> Int {
    let common = min(key.mv_size, other.count)
    let order = other.withUnsafeBytes { bytes -> Int32 in
      guard common > 0, let mine = key.mv_data, let theirs = bytes.baseAddress else { return 0 }
      return memcmp(mine, theirs, common)
    }
    return order == 0 ? key.mv_size - other.count : Int(order)
  }
}
