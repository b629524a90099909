internal import AtomsyncCore
internal import AtomsyncStorageSupport
internal import CLMDB
internal import Dispatch

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// One open environment. A process must not open a folder twice, so all storages on it share this one.
final class LMDBEnvironment: Sendable {
  // Unsafe, because a C pointer is not sendable. Sound, because LMDB lets any thread use an environment, and the last
  // lease closes it when nobody else has it.
  nonisolated(unsafe) let handle: OpaquePointer
  let database: MDB_dbi
  let path: String
  let writes = BlockingQueue("atomsync.lmdb.write")
  let writeLock: LMDBWriteLock
  /// A lock: shared (`sync`) while a read transaction is active, exclusive (`sync` with `.barrier`) while the map moves. Its
  /// blocks run on the threads of their callers. A barrier comes before the reads that are asked for later, so that readers
  /// which follow each other closely do not keep a commit from growing the map.
  let map = DispatchQueue(label: "atomsync.lmdb.map", attributes: .concurrent)
  /// Looked at before the map is used, since a page that is not in the file any more would end the process.
  let file: StoreFile
  private let skipsMetaSync = Lock(false)

  static let initialMapSize = 64 << 20
  /// Room for so many read transactions at once, over all processes; LMDB's own default of 126 is soon gone
  /// when many tools have one store open.
  private static let maximumReaders: UInt32 = 1_000

  /// Opens the environment at a canonical path, creating it if there is none.
  init(path: String, mapSize: Int) throws {
    let isNew = try LMDBLayout.inspect(path) != .store
    try Self.reserveReaders(path)
    var created: OpaquePointer?
    try LMDBFailure.check(mdb_env_create(&created))
    guard let handle = created else { throw LMDBFailure(code: ENOMEM) }
    do {
      try LMDBFailure.check(mdb_env_set_maxdbs(handle, 1))
      try LMDBFailure.check(mdb_env_set_maxreaders(handle, Self.maximumReaders))
      // An existing environment knows how large its map was.
      if isNew { try LMDBFailure.check(mdb_env_set_mapsize(handle, mapSize)) }
      try LMDBFailure.check(mdb_env_open(handle, path, UInt32(MDB_NOTLS), 0o600))
      try LMDBFailure.check(mdb_reader_check(handle, nil))
      let writeLock = try LMDBWriteLock(path: path)
      self.file = try StoreFile("\(path)/\(LMDBLayout.data)", growsOnly: true)
      self.database = try writeLock.withLock { try LMDBLayout.prepare(handle, path: path) }
      self.writeLock = writeLock
    } catch {
      mdb_env_close(handle)
      throw error
    }
    self.handle = handle
    self.path = path
  }

  /// Lets go of the files. Nobody may use the environment any more.
  func shutDown() { mdb_env_close(handle) }

  /// The number of the last transaction of any process.
  func lastTransaction() throws -> Int64 {
    var info = MDB_envinfo()
    try LMDBFailure.check(map.sync { mdb_env_info(handle, &info) })
    return Int64(info.me_last_txnid)
  }

  /// Makes room after `MDB_MAP_FULL`. On `writes`, outside a transaction.
  func grow() throws {
    mdb_reader_check(handle, nil)  // the dead keep pages from being used again
    var info = MDB_envinfo()
    try LMDBFailure.check(mdb_env_info(handle, &info))
    let size = info.me_mapsize + min(info.me_mapsize, 1 << 30)
    try Self.checkSpace(for: size)
    try setMapSize(size)
  }

  /// Throws unless there is address space for a map of this size. LMDB lets go of its map before it makes the new one:
  /// it would be left without any, and the next read would end the process.
  private static func checkSpace(for size: Int) throws {
    let trial = mmap(nil, size, PROT_NONE, MAP_PRIVATE | MAP_ANON | Int32(MAP_NORESERVE), -1, 0)
    guard let trial, trial != MAP_FAILED else { throw LMDBFailure(code: MDB_MAP_FULL) }
    munmap(trial, size)
  }

  /// Follows another process that has grown the map. On `writes`, outside a transaction.
  func followMap() throws { try setMapSize(0) }

  private func setMapSize(_ size: Int) throws {
    let code = map.sync(flags: .barrier) { mdb_env_set_mapsize(handle, size) }
    // No address space is left for it, which is a limit like a full disk.
    try LMDBFailure.check(code == ENOMEM ? MDB_MAP_FULL : code)
  }

  /// Chooses between one and two flushes a commit. On `writes`.
  func skipMetaSync(_ skips: Bool) throws {
    try skipsMetaSync.withLock { current in
      if skips == current { return }
      try LMDBFailure.check(mdb_env_set_flags(handle, UInt32(MDB_NOMETASYNC), skips ? 1 : 0))
      current = skips
    }
  }

  /// Reserves the disk space of the reader table: LMDB maps that file and writes to the map, which on a full
  /// disk would end the process by a signal. Only before the environment is open, because closing a descriptor
  /// drops the process's locks on the file.
  private static func reserveReaders(_ path: String) throws {
    #if os(Linux)
    let descriptor = open("\(path)/\(LMDBLayout.readers)", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw LMDBFailure(code: errno) }
    defer { close(descriptor) }
    // 64 bytes for each reader and as many for the head, in whole pages.
    let code = posix_fallocate(descriptor, 0, 64 << 10)
    if code == ENOSPC { throw LMDBFailure(code: code) }
    #endif
  }
}
