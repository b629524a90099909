/// Why a server does not start.
public struct HTTPServerError: Error, Sendable, CustomStringConvertible {
  /// What kind of problem it is, for a program to decide on.
  public enum Code: Sendable, Hashable {
    /// A value of the configuration cannot be.
    case invalidConfiguration
    /// It would serve the network without users, and was not told to.
    case open
    /// Another process listens at the port.
    case portInUse
    /// The address is not this machine's, or may not be used.
    case addressUnavailable
    /// The certificate or its key cannot be read or used.
    case certificateUnusable
  }

  /// What kind of problem it is.
  public var code: Code
  /// What happened and what to do about it, in one line for people.
  public var message: String
  /// What the system said, where there is more to say.
  public var cause: String?

  init(_ code: Code, _ message: String, cause: String? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  /// The message, with the cause in parentheses.
  public var description: String { cause.map { "\(message) (\($0))" } ?? message }
}
