internal import AtomsyncCore
internal import CLMDB

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// What an Atomsync environment looks like, and how one is told from all others.
///
/// The unnamed database holds two entries: `atomsync.layout`, one byte with the layout's version, and the named
/// database `atomsync`, which holds the records.
enum LMDBLayout {
  static let version: UInt8 = 1
  static let database = "atomsync"
  static let marker = Array("atomsync.layout".utf8)
  static let data = "data.mdb"
  static let readers = "lock.mdb"
  static let lock = "atomsync.lock"
  static let writeLock = "atomsync.write"

  /// What is at a path before anything of ours has touched it.
  enum Finding: Equatable {
    case nothing, emptyFolder, store
  }

  /// Refuses what is not ours, by looking only.
  static func inspect(_ path: String) throws -> Finding {
    var status = stat()
    guard stat(path, &status) == 0 else {
      if errno == ENOENT { return .nothing }
      throw LMDBFailure(code: errno)
    }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw foreign(path, "a file") }
    let names = try list(path)
    let file = "\(path)/\(data)"
    guard names.contains(data), stat(file, &status) == 0, status.st_size > 0 else {
      guard names.allSatisfy([data, readers, lock, writeLock].contains) else {
        throw foreign(path, "a folder with other files in it")
      }
      return .emptyFolder
    }
    try inspectPages(file, path: path)
    // Whoever opens a store of ours makes the lock file first. Without it nobody writes in our way, and a look
    // without LMDB's locks leaves a foreign environment byte for byte as it was.
    let isLocked = names.contains(lock) && names.contains(readers)
    return try inspectContents(path, flags: isLocked ? 0 : MDB_NOLOCK) ? .store : .emptyFolder
  }

  /// Reads the marker. Answers false for an environment with nothing in it.
  static func check(_ transaction: OpaquePointer, path: String) throws -> Bool {
    var main = MDB_dbi()
    try LMDBFailure.check(mdb_dbi_open(transaction, nil, 0, &main))
    var status = MDB_stat()
    try LMDBFailure.check(mdb_stat(transaction, main, &status))
    if status.ms_entries == 0 { return false }
    let found = try LMDBBytes.get(transaction, main, marker) { $0.first }
    guard let found, let found else { throw foreign(path, "an LMDB environment of another program") }
    guard found <= version else {
      throw StorageError(
        .newerFormat,
        "A newer Atomsync wrote \(path) (layout \(found), this one knows \(version)). Update this program.")
    }
    return true
  }

  /// Writes the marker and makes the database, or finds them; answers the database.
  static func prepare(_ environment: OpaquePointer, path: String) throws -> MDB_dbi {
    var begun: OpaquePointer?
    try LMDBFailure.check(mdb_txn_begin(environment, nil, 0, &begun))
    guard let transaction = begun else { throw LMDBFailure(code: ENOMEM) }
    do {
      var records = MDB_dbi()
      let exists = try check(transaction, path: path)
      try LMDBFailure.check(
        mdb_dbi_open(transaction, database, exists ? 0 : UInt32(MDB_CREATE), &records))
      if !exists {
        var main = MDB_dbi()
        try LMDBFailure.check(mdb_dbi_open(transaction, nil, 0, &main))
        try LMDBBytes.put(transaction, main, marker, [version])
      }
      let code = mdb_txn_commit(transaction)
      begun = nil
      try LMDBFailure.check(code)
      return records
    } catch {
      if begun != nil { mdb_txn_abort(transaction) }
      throw error
    }
  }

  private static func inspectContents(_ path: String, flags: Int32) throws -> Bool {
    var created: OpaquePointer?
    try LMDBFailure.check(mdb_env_create(&created))
    guard let environment = created else { throw LMDBFailure(code: ENOMEM) }
    defer { mdb_env_close(environment) }
    try LMDBFailure.check(
      mdb_env_open(environment, path, UInt32(MDB_RDONLY | MDB_NOTLS | flags), 0o600))
    var begun: OpaquePointer?
    try LMDBFailure.check(mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &begun))
    guard let transaction = begun else { throw LMDBFailure(code: ENOMEM) }
    defer { mdb_txn_abort(transaction) }
    return try check(transaction, path: path)
  }

  /// Looks at the two pages that every environment begins with: the magic number, and whether the pages that
  /// the newer one names are there, since LMDB would read beyond the end of a file that was cut short.
  private static func inspectPages(_ file: String, path: String) throws {
    let descriptor = open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw LMDBFailure(code: errno) }
    defer { close(descriptor) }
    guard let first = LMDBMeta(descriptor, offset: 0), first.isLMDB else {
      throw foreign(path, "a folder whose \(data) is not of LMDB")
    }
    let second = LMDBMeta(descriptor, offset: Int(first.pageSize))
    // The size after the pages: another process may be writing, and then the file grows before they do.
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw LMDBFailure(code: errno) }
    guard let second, second.isLMDB,
      (first.transaction > second.transaction ? first : second).fits(Int(status.st_size))
    else {
      throw StorageError(
        .corrupt, "\(file) was cut short or is damaged. Restore it from a backup, or sync anew.")
    }
  }

  private static func list(_ path: String) throws -> [String] {
    guard let folder = opendir(path) else { throw LMDBFailure(code: errno) }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  private static func foreign(_ path: String, _ what: String) -> StorageError {
    StorageError(
      .foreign,
      "\(path) is \(what), not an Atomsync store. It was left as it is; choose another path.")
  }
}
