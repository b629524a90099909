internal import AtomsyncCore
internal import AtomsyncStorageSupport

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// One storage's share in an environment and its lock on the folder. The last lease to go closes the environment.
final class LMDBLease: Sendable {
  let environment: LMDBEnvironment
  private let path: String
  private let lock: FileLock

  private struct Entry {
    let environment: LMDBEnvironment
    var leases: Int
  }
  private static let registry = Lock<[String: Entry]>([:])

  /// Takes part in the environment at `path`, opening it for the first lease. Blocks.
  ///
  /// - Parameter creates: whether a store is made where there is none.
  init(path: String, access: StorageAccess, mapSize: Int, creates: Bool = true) throws {
    let canonical = CanonicalPath.of(path)
    let taken = try Self.registry.withLock { entries in
      do {
        if !creates && entries[canonical] == nil { try Self.requireStore(canonical) }
        let lock = try Self.takeLock(
          canonical, exclusive: access == .exclusive, isOpen: entries[canonical] != nil)
        let environment =
          try entries[canonical]?.environment ?? LMDBEnvironment(path: canonical, mapSize: mapSize)
        entries[canonical, default: Entry(environment: environment, leases: 0)].leases += 1
        return (lock: lock, environment: environment)
      } catch let failure as LMDBFailure {
        throw failure.error(path: canonical)
      }
    }
    self.path = canonical
    self.lock = taken.lock
    self.environment = taken.environment
  }

  deinit {
    // Closed under the registry's lock: a second environment on the same folder, opened before this one is closed, would
    // lose its locks and its places in the table of readers with it.
    Self.registry.withLock { entries in
      entries[path]?.leases -= 1
      guard entries[path]?.leases == 0 else { return }
      entries[path] = nil
      environment.shutDown()
    }
  }

  /// Runs `body` with an environment that nobody else has open, in any process, until it returns; then the environment is shut
  /// down, and `afterwards` runs while the folder is still locked. Opening any folder waits for that in this process, because a
  /// folder must not be open twice in one.
  static func alone(
    _ path: String, _ body: (LMDBEnvironment) throws -> Void, afterwards: () throws -> Void
  ) throws {
    let canonical = CanonicalPath.of(path)
    try registry.withLock { entries in
      do {
        // Of a folder that this process has open, the lock tells.
        if entries[canonical] == nil { try requireStore(canonical) }
        let lock = try FileLock(path: "\(canonical)/\(LMDBLayout.lock)", exclusive: true)
        let environment = try LMDBEnvironment(path: canonical, mapSize: LMDBEnvironment.initialMapSize)
        do {
          defer { environment.shutDown() }
          try body(environment)
        }
        try afterwards()
        withExtendedLifetime(lock) {}
      } catch let failure as LMDBFailure {
        throw failure.error(path: canonical)
      }
    }
  }

  private static func requireStore(_ path: String) throws {
    guard try LMDBLayout.inspect(path) == .store else {
      throw StorageError(.foreign, "There is no store at \(path). Is it the right path?")
    }
  }

  private static func takeLock(_ path: String, exclusive: Bool, isOpen: Bool) throws -> FileLock {
    // What is foreign stays without so much as a lock file.
    if !isOpen, try LMDBLayout.inspect(path) == .nothing, mkdir(path, 0o700) != 0, errno != EEXIST {
      throw LMDBFailure(code: errno)
    }
    return try FileLock(path: "\(path)/\(LMDBLayout.lock)", exclusive: exclusive)
  }
}
