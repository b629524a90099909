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

  /// An error with words for people, and the limit or the place in the body where there is one.
  public init(_ code: Code, _ message: String, limit: Int64? = nil, offset: Int64? = nil) {
    self.code = code
    self.message = message
    self.limit = limit
    self.offset = offset
  }

  /// The code and the message.
  public var description: String { "\(code.text): \(message)" }

  /// Open-ended, because a newer server may know more.
  public struct Code: Sendable, Hashable {
    /// The keyword on the wire, without its colon.
    public var text: String
    /// A code of this keyword, given without its colon.
    public init(_ text: String) { self.text = text }

    /// 400: the body cannot be read as the message that it should be.
    public static let malformed = Code("malformed")
    /// 400: the group's name is against the rules of ``Names``.
    public static let invalidGroup = Code("invalid-group")
    /// 400: a document's id has more than 1 KiB. Other ids that are not valid are rejected one by one.
    public static let invalidID = Code("invalid-id")
    /// 400: a parameter or a field of the request is missing, repeated, or out of range.
    public static let invalidParameter = Code("invalid-parameter")
    /// 400: a push names a document twice.
    public static let duplicateID = Code("duplicate-id")
    /// 400: the request asks for a version of the protocol that the server does not speak.
    public static let unsupportedProtocol = Code("unsupported-protocol")
    /// 401: the token is missing, not valid, or not valid any more.
    public static let unauthorized = Code("unauthorized")
    /// 403: the user may not use the group, or not write; or a web page of another site sends the request.
    public static let forbidden = Code("forbidden")
    /// 403: the edits belong to another user than the token.
    public static let wrongUser = Code("wrong-user")
    /// 404: the endpoint has another path.
    public static let notFound = Code("not-found")
    /// 405: the method is neither `GET` nor `POST`.
    public static let methodNotAllowed = Code("method-not-allowed")
    /// 406: `Accept` names no type that the server can answer in.
    public static let notAcceptable = Code("not-acceptable")
    /// 409: the push's number is lower than the client's last one, or the same for another push.
    public static let stalePush = Code("stale-push")
    /// 413: the body, the push, the answer or the number of groups is beyond a limit.
    public static let tooLarge = Code("too-large")
    /// 415: the body has no type, or a type or a compression that the server does not read.
    public static let unsupportedMediaType = Code("unsupported-media-type")
    /// 429: more requests from one client, or wrong tokens from one address, than the server takes.
    public static let tooManyRequests = Code("too-many-requests")
    /// 503: the server is busy, shuts down, or cannot use its store; or the body broke off. Try again later.
    public static let unavailable = Code("unavailable")
    /// 500: the server failed. Details are in its log only.
    public static let `internal` = Code("internal")
  }
}
