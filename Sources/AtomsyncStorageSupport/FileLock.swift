internal import AtomsyncCore

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// Holds a store for one process (or one storage object) at a time, by an advisory lock on a file beside it.
///
/// The system lets go of the lock when the process ends, however it ends, so a crash leaves nothing to clean up.
public final class FileLock: Sendable {
  private let descriptor: Int32

  /// Takes the lock at `path`, creating the file if there is none.
  ///
  /// - Parameters:
  ///   - path: of the file to lock.
  ///   - exclusive: false lets any number of non-exclusive holders in together.
  /// - Throws: `StorageError` with code `inUse` when another holder stands in the way, `inaccessible` when the
  ///   file cannot be opened.
  public init(path: String, exclusive: Bool) throws {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw StorageError(
        .inaccessible, "Cannot open \(path). Check that its folder exists and can be written.",
        cause: String(cString: strerror(errno)))
    }
    guard flock(descriptor, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 else {
      let reason = errno
      close(descriptor)
      if reason == EWOULDBLOCK {
        throw StorageError(
          .inUse,
          "The store is in use by another process (\(path) is locked). Close that one, or use another store.")
      }
      throw StorageError(.inaccessible, "Cannot lock \(path).", cause: String(cString: strerror(reason)))
    }
    self.descriptor = descriptor
  }

  deinit {
    // Closing is not enough: a process that is being spawned just now has a copy of the descriptor until it
    // becomes the other program, and would keep the lock for so long.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }
}
