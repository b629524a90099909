internal import AtomsyncCore
internal import CLMDB

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// Lets one process at a time write, and those that wait give up after a while.
///
/// LMDB has such a lock of its own, which waits for ever: for a process that was stopped in the middle of a transaction,
/// say. Who takes this one first never waits for that one.
final class LMDBWriteLock: Sendable {
  /// As long as SQLite waits here.
  private static let patienceMicroseconds: UInt32 = 5_000_000
  private static let shortestPause: UInt32 = 100
  private static let longestPause: UInt32 = 2_000

  private let descriptor: Int32
  private let path: String

  /// - Parameter path: the store's folder.
  init(path: String) throws {
    self.path = path
    descriptor = open("\(path)/\(LMDBLayout.writeLock)", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw LMDBFailure(code: errno) }
  }

  deinit { close(descriptor) }

  /// Runs `body` while no other process is in here. Blocks.
  ///
  /// - Throws: `StorageError` with `inUse` after 5 seconds.
  func withLock<Result>(_ body: () throws -> Result) throws -> Result {
    var waited: UInt32 = 0
    var pause = Self.shortestPause
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else { throw LMDBFailure(code: errno) }
      guard waited < Self.patienceMicroseconds else {
        throw StorageError(
          .inUse,
          "Another process has been writing \(path) for over \(Self.patienceMicroseconds / 1_000_000) s. "
            + "Close it, or try again.")
      }
      // There is no lock on a file that waits and gives up, so this looks again and again, as SQLite does.
      usleep(pause)
      waited += pause
      pause = min(pause * 2, Self.longestPause)
    }
    defer { flock(descriptor, LOCK_UN) }
    return try body()
  }
}
