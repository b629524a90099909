public import AtomsyncCore

/// Why syncing does not get on, or why a call on an atom could not do what was asked.
public struct SyncError: Error, Sendable, CustomStringConvertible {
  /// What kind of problem it is, for a program to decide on.
  public enum Code: Sendable, Hashable {
    /// The server could not be reached or did not take a message; see ``SyncError/transport``.
    case transport
    /// The local store failed; see ``SyncError/storage``.
    case storage
    /// A document's id or value cannot be stored.
    case invalidDocument
    /// The atom of this name holds the documents of another group.
    case wrongGroup
    /// The atom is encrypted, and was not opened with its key, or not as before.
    case encrypted
    /// There is no server, or syncing is paused.
    case paused
    /// The atom was closed, or stopped for the reason in the message.
    case stopped
    /// The wait was longer than allowed.
    case timedOut
    /// Something is still pending, rejected or in conflict.
    case unsettled
  }

  /// What kind of problem it is.
  public var code: Code
  /// What happened and what to do about it, for people.
  public var message: String
  /// With ``SyncError/Code/transport``: the transport's error.
  public var transport: TransportError?
  /// With ``SyncError/Code/storage``: the store's error.
  public var storage: StorageError?

  /// An error with words for people.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// A transport's error, with ``SyncError/Code/transport``.
  public init(_ error: TransportError) {
    self.init(.transport, error.description)
    transport = error
  }

  /// A store's error, with ``SyncError/Code/storage``.
  public init(_ error: StorageError) {
    self.init(.storage, error.description)
    storage = error
  }

  /// The message.
  public var description: String { message }

  package static let paused = SyncError(.paused, "There is no server to sync with, or syncing is paused.")

  package static func stopped(_ reason: StopReason) -> SyncError {
    switch reason {
    case .closed: SyncError(.stopped, "The atom is closed.")
    case .storeLost: SyncError(.stopped, "The atom's store is closed. Open the client again.")
    case .wrongUser(let expected, let actual):
      SyncError(
        .stopped,
        "The atom belongs to the user \(expected), and the token to \(actual.isEmpty ? "another" : actual). "
          + "Use the user's own token, or open the atom under another name.")
    }
  }
}
