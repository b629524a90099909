/// Why a storage could not do what was asked.
public struct StorageError: Error, Sendable, CustomStringConvertible {
  /// What kind of failure it is, for a program to decide on.
  public enum Code: Sendable, Hashable {
    /// Used after `close()`.
    case closed
    /// Another process or another part of this one holds the store.
    case inUse
    /// The path cannot be opened, created or written.
    case inaccessible
    /// The path holds something that is not an Atomsync store of this kind.
    case foreign
    /// A newer Atomsync wrote this store.
    case newerFormat
    /// What is stored contradicts itself.
    case corrupt
    /// No space is left, or a quota or size limit is reached.
    case full
    /// A key is longer than the storage can hold.
    case keyTooLong
    /// Anything else that the system reported.
    case failed
  }

  /// What kind of failure it is.
  public var code: Code
  /// What happened and what to do about it, for people.
  public var message: String
  /// What the system or library below said, where there is more to say.
  public var cause: String?

  /// An error with words for people, and the cause where there is more to say.
  public init(_ code: Code, _ message: String, cause: String? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  /// The message, with the cause in parentheses.
  public var description: String { cause.map { "\(message) (\($0))" } ?? message }

  /// The error of every call after `close()`.
  public static let closed = StorageError(.closed, "The storage is closed.")
}
