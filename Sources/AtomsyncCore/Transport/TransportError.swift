/// Why a message did not get through, or was refused.
public struct TransportError: Error, Sendable, CustomStringConvertible {
  /// What kind of failure it is, for a program to decide on.
  public enum Code: Sendable, Hashable {
    /// No connection, or the connection broke.
    case unreachable
    /// The peer did not answer in time.
    case timedOut
    /// 401: no token, or not a valid one.
    case unauthorized
    /// 403: the group, or writing to it, is not allowed. Said by the authority itself.
    case forbidden
    /// The token belongs to another user than the edits. Said by the authority itself.
    case wrongUser
    /// The push's number is behind the one that the authority knows: take a new client id.
    case stalePush
    /// 413 by the authority itself: the push exceeds a limit; it changed nothing.
    case tooLarge
    /// 413 by something between the two of us: a smaller message may get through.
    case oversized
    /// The authority read the request and refused it for good; it changed nothing.
    case refused
    /// 429, 5xx, or something between the two of us that is not the authority.
    case unavailable
    /// The answer cannot be understood.
    case malformedAnswer
    /// The peer does not speak this protocol, or has no live streams.
    case unsupported
    /// Used after `close()`.
    case closed
  }

  /// What kind of failure it is.
  public var code: Code
  /// What happened and what to do about it, for people.
  public var message: String
  /// What the library or the peer said.
  public var cause: String?
  /// How long the peer asked to be left alone.
  public var retryAfter: Duration?

  /// An error with words for people, the cause, and how long to wait, where they are known.
  public init(_ code: Code, _ message: String, cause: String? = nil, retryAfter: Duration? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
    self.retryAfter = retryAfter
  }

  /// The message, with the cause in parentheses.
  public var description: String { cause.map { "\(message) (\($0))" } ?? message }
}

extension TransportError {
  /// What an error answer of the authority means to a client.
  public init(_ body: ProtocolError, retryAfter: Duration? = nil) {
    let code: Code =
      switch body.code {
      case .unauthorized: .unauthorized
      case .forbidden: .forbidden
      case .wrongUser: .wrongUser
      case .stalePush: .stalePush
      case .tooLarge: .tooLarge
      case .malformed, .invalidGroup, .invalidID, .invalidParameter, .duplicateID: .refused
      case .unsupportedProtocol, .unsupportedMediaType, .notAcceptable, .notFound, .methodNotAllowed:
        .unsupported
      default: .unavailable
      }
    self.init(code, body.message, cause: body.code.text, retryAfter: retryAfter)
  }
}
