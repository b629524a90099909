/// A storage that is not open yet: what a configuration names, and a client or server opens.
///
/// Each storage module adds its own factory, so that `.sqlite("notes.db")` is spelled once its module is
/// imported and costs nothing when it is not.
public struct StorageProvider: Sendable, CustomStringConvertible {
  /// What is opened and where, for logs and errors: `SQLite at notes.db`.
  public let description: String
  private let body: @Sendable (StorageAccess) async throws -> any Storage

  /// A storage that `open` opens.
  ///
  /// - Parameters:
  ///   - description: what is opened and where, for logs and errors: `SQLite at notes.db`.
  ///   - open: opens the storage, creating it if there is none. It throws ``StorageError``.
  public init(_ description: String, open: @escaping @Sendable (StorageAccess) async throws -> any Storage) {
    self.description = description
    self.body = open
  }

  /// Opens the storage, creating it if there is none.
  ///
  /// - Throws: ``StorageError``, naming the path and the remedy.
  public func open(_ access: StorageAccess) async throws -> any Storage { try await body(access) }
}

/// Who else may have the store open.
public enum StorageAccess: Sendable, Hashable {
  /// This process alone: a replica, whose memory is ahead of its disk.
  case exclusive
  /// Several processes: an authority and its tools.
  case shared
}
