/// The body of an answer that is an error. (Docs/Protocol.md §7.)
public struct ProtocolError: Error, Sendable, Hashable, CustomStringConvertible {
  /// A keyword, without its colon.
  public var code: Code
  /// For people: what happened and what to do about it.
  public var message: String
  /// With `too-large`: the limit that was exceeded, in bytes or documents.
  public var limit: Int64?
  /// With `malformed`: where in the body, in bytes, where that is known.
  public var offset: Int64?

  public init(_ code: Code, _ message: String, limit: Int64? = nil, offset: Int64? = nil) {
    self.code = code
    self.message = message
    self.limit = limit
    self.offset = offset
  }

  public var description: String { "\(code.text): \(message)" }

  /// Open-ended, because a newer server may know more.
  public struct Code: Sendable, Hashable {
    public var text: String
    public init(_ text: String) { self.text = text }

    public static let malformed = Code("malformed")
    public static let invalidGroup = Code("invalid-group")
    public static let invalidID = Code("invalid-id")
    public static let invalidParameter = Code("invalid-parameter")
    public static let duplicateID = Code("duplicate-id")
    public static let unsupportedProtocol = Code("unsupported-protocol")
    public static let unauthorized = Code("unauthorized")
    public static let forbidden = Code("forbidden")
    public static let wrongUser = Code("wrong-user")
    public static let notFound = Code("not-found")
    public static let methodNotAllowed = Code("method-not-allowed")
    public static let notAcceptable = Code("not-acceptable")
    public static let stalePush = Code("stale-push")
    public static let tooLarge = Code("too-large")
    public static let unsupportedMediaType = Code("unsupported-media-type")
    public static let tooManyRequests = Code("too-many-requests")
    public static let unavailable = Code("unavailable")
    public static let `internal` = Code("internal")
  }
}
