internal import AtomsyncCore
internal import AtomsyncStorageSupport
internal import CLMDB

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

extension LMDBStorage {
  /// Writes a copy of the store in the folder `path`, as it is at one moment, to a folder that does not exist yet. The store may be in use by
  /// other processes, and not by this one; the copy is a store of its own, and as small as it can be. By LMDB's `mdb_env_copy2`.
  ///
  /// - Throws: `StorageError`: `foreign` when there is no store at `path`, `inaccessible` when the target exists or cannot be
  ///   written, `full`. Nothing is left of a copy that failed.
  public static func backUp(_ path: String, to target: String) async throws {
    try await BlockingQueue("atomsync.lmdb.backup").run {
      let lease = try LMDBLease(
        path: path, access: .shared, mapSize: LMDBEnvironment.initialMapSize, creates: false)
      try LMDBMaintenance.copy(lease.environment, to: target)
    }
  }

  /// Gives the space of what was removed back to the file system. Nobody else may have the store open. It takes as much space
  /// again meanwhile, and no other folder is opened by this process until it is done. When it fails, or the process dies, the store is as it was.
  ///
  /// - Throws: `StorageError`: `inUse`, `foreign`, `full`.
  public static func compact(_ path: String) async throws {
    try await BlockingQueue("atomsync.lmdb.compact").run {
      let path = CanonicalPath.of(path)
      let copy = path + ".compact"
      // Locked from before the copy is made until it is in its place: a commit between the two would be lost.
      try LMDBLease.alone(path) { environment in
        LMDBMaintenance.remove(copy)  // of a process that died
        try LMDBMaintenance.copy(environment, to: copy)
      } afterwards: {
        try LMDBMaintenance.replaceData(of: path, by: copy)
      }
    }
  }
}

private enum LMDBMaintenance {
  static func copy(_ environment: LMDBEnvironment, to target: String) throws {
    guard mkdir(target, 0o700) == 0 else { throw failure(target) }
    do {
      // The map must not move while LMDB reads it.
      try environment.map.sync {
        try LMDBFailure.check(mdb_env_copy2(environment.handle, target, UInt32(MDB_CP_COMPACT)))
      }
      let file = "\(target)/\(LMDBLayout.data)"
      guard chmod(file, 0o600) == 0 else { throw failure(file) }
      try synchronize(file)
      try synchronize(target)
    } catch {
      remove(target)
      throw (error as? LMDBFailure)?.error(path: target) ?? error
    }
  }

  /// Puts the data of the copy in the place of the folder's.
  static func replaceData(of folder: String, by copy: String) throws {
    let (source, target) = ("\(copy)/\(LMDBLayout.data)", "\(folder)/\(LMDBLayout.data)")
    guard rename(source, target) == 0 else { throw failure(target) }
    try synchronize(folder)
    remove(copy)
  }

  /// Removes a copy.
  static func remove(_ folder: String) {
    unlink("\(folder)/\(LMDBLayout.data)")
    rmdir(folder)
  }

  private static func synchronize(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failure(path) }
  }

  /// What the system has just said.
  private static func failure(_ path: String) -> StorageError {
    let code = errno
    if code == EEXIST {
      return StorageError(.inaccessible, "There is something at \(path) already. Choose another path.")
    }
    return LMDBFailure(code: code).error(path: path)
  }
}
