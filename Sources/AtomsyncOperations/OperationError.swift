/// Why something could not be done to a store as a whole.
public struct OperationError: Error, Sendable, CustomStringConvertible {
  /// What kind of problem it is, for a program to decide on.
  public enum Code: Sendable, Hashable {
    /// A dump is damaged, cut short, or not a dump. Nothing was changed.
    case damaged
    /// There is something already where the result was to go. Nothing was changed.
    case exists
    /// A file cannot be read or written.
    case inaccessible
  }

  /// What kind of problem it is.
  public var code: Code
  /// What happened and what to do about it, for people.
  public var message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The message.
  public var description: String { message }
}
