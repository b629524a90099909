internal import AtomsyncCore

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// The file that a storage has open, to notice when its path leads to another one, or when it was cut short.
///
/// The system lets a program write on to a file that was deleted or replaced; what it commits then is gone when it ends.
public struct StoreFile: Sendable {
  private let path: String
  private let device: UInt64
  private let inode: UInt64
  private let growsOnly: Bool
  private let largest: Lock<Int>

  /// - Parameters:
  ///   - path: of a file that was just opened.
  ///   - growsOnly: whether the file never becomes smaller by itself.
  /// - Throws: `StorageError` (`inaccessible`) when there is nothing at the path.
  public init(_ path: String, growsOnly: Bool) throws {
    guard let status = Self.status(path) else { throw Self.gone(path, "was removed") }
    self.path = path
    self.growsOnly = growsOnly
    device = UInt64(truncatingIfNeeded: status.st_dev)
    inode = UInt64(truncatingIfNeeded: status.st_ino)
    largest = Lock(Int(status.st_size))
  }

  /// Looks at the path: a microsecond.
  ///
  /// - Throws: `StorageError` (`inaccessible`).
  public func check() throws {
    // Under the lock: a size that was asked for before somebody else's would seem to be cut short.
    let problem = largest.withLock { largest -> String? in
      guard let status = Self.status(path) else { return "was removed" }
      guard UInt64(truncatingIfNeeded: status.st_dev) == device,
        UInt64(truncatingIfNeeded: status.st_ino) == inode
      else { return "was replaced by another file" }
      let size = Int(status.st_size)
      if size < largest && (growsOnly || size == 0) { return "was cut short" }
      largest = max(largest, size)
      return nil
    }
    if let problem { throw Self.gone(path, problem) }
  }

  private static func status(_ path: String) -> stat? {
    var status = stat()
    return stat(path, &status) == 0 ? status : nil
  }

  private static func gone(_ path: String, _ what: String) -> StorageError {
    StorageError(
      .inaccessible,
      "\(path) \(what) while it was in use. Nothing is saved: put the store back, or restart the program to use what is there now."
    )
  }
}
