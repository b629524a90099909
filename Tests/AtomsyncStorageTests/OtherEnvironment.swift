import CLMDB

/// An LMDB environment as another program, or a newer Atomsync, would have made it.
enum OtherEnvironment {
  struct Failure: Error {
    let code: Int32
  }

  static func make(
    _ path: String, _ entries: [String: [UInt8]], database: String? = nil
  ) throws {
    var environment: OpaquePointer?
    try check(mdb_env_create(&environment))
    defer { mdb_env_close(environment) }
    try check(mdb_env_set_maxdbs(environment, 1))
    try check(mdb_env_open(environment, path, UInt32(MDB_NOTLS), 0o644))
    if entries.isEmpty { return }
    var transaction: OpaquePointer?
    try check(mdb_txn_begin(environment, nil, 0, &transaction))
    var records = MDB_dbi()
    try check(mdb_dbi_open(transaction, database, UInt32(MDB_CREATE), &records))
    for (key, value) in entries {
      var key = Array(key.utf8)
      var value = value
      try key.withUnsafeMutableBytes { key in
        try value.withUnsafeMutableBytes { value in
          var name = MDB_val(mv_size: key.count, mv_data: key.baseAddress)
          var content = MDB_val(mv_size: value.count, mv_data: value.baseAddress)
          try check(mdb_put(transaction, records, &name, &content, 0))
        }
      }
    }
    try check(mdb_txn_commit(transaction))
  }

  private static func check(_ code: Int32) throws {
    if code != MDB_SUCCESS { throw Failure(code: code) }
  }
}
