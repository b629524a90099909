public import struct Foundation.UUID

/// A change of one document that a client asks for.
public struct Edit: Sendable, Hashable {
  /// The document's id.
  public var id: String
  /// The version that the edit was made on; 0 for "does not exist".
  public var version: Int64
  /// The new value, or that the document is to be deleted.
  public var content: Content

  /// A change of the document `id`, made on `version`.
  public init(id: String, version: Int64, content: Content) {
    self.id = id
    self.version = version
    self.content = content
  }
}

/// Names one push of one client, which makes it idempotent. (Docs/Protocol.md §4.)
public struct PushTicket: Sendable, Hashable {
  /// The client's id, which it chooses by itself.
  public var client: UUID
  /// Rises by one with each new push of the client to the group.
  public var number: Int64

  /// Names this push of this client.
  ///
  /// - Parameters:
  ///   - client: a UUID that the client has made for itself.
  ///   - number: from 0 to 2^62 − 1.
  public init(client: UUID, number: Int64) {
    self.client = client
    self.number = number
  }
}

/// Asks for some documents to be changed.
public struct PushRequest: Sendable, Hashable {
  /// The group's name.
  public var group: String
  /// Names the push, so that it can be repeated; `nil` for one that is judged anew each time it is sent.
  public var ticket: PushTicket?
  /// All edits or none.
  public var isAtomic: Bool
  /// The changes, at most one for each document.
  public var edits: [Edit]
  /// The user that the edits belong to: a server that takes the caller for somebody else refuses the push.
  public var user: String?
  /// Where the versions of the edits come from: a server that cannot continue this cursor, because it was restored
  /// from a backup, takes no edit of an existing document.
  public var cursor: Cursor?
  /// The newest place in the group's history that an earlier answer has told of, for the same reason.
  public var seen: Cursor?

  /// A push of these edits to this group.
  public init(
    group: String, ticket: PushTicket? = nil, isAtomic: Bool = false, edits: [Edit], user: String? = nil,
    cursor: Cursor? = nil, seen: Cursor? = nil
  ) {
    self.group = group
    self.ticket = ticket
    self.isAtomic = isAtomic
    self.edits = edits
    self.user = user
    self.cursor = cursor
    self.seen = seen
  }
}

/// The authority's verdicts: each edit is in exactly one list, in the order sent.
public struct PushAnswer: Sendable, Hashable {
  /// An edit that was accepted.
  public struct Acceptance: Sendable, Hashable {
    /// The document's id.
    public var id: String
    /// The document's version after the edit.
    public var version: Int64
    /// When the document was last written, in milliseconds since 1970 by the server's clock.
    public var updated: Int64

    /// An acceptance, with what the document is after the edit.
    public init(id: String, version: Int64, updated: Int64) {
      self.id = id
      self.version = version
      self.updated = updated
    }
  }

  /// An edit that was not accepted, and why.
  public struct Rejection: Sendable, Hashable {
    /// The document's id.
    public var id: String
    /// Why the edit was not accepted.
    public var reason: RejectionReason
    /// With `.stale`: the server's document (version 0 and deleted when it knows none).
    public var current: Document?
    /// The server's own words for people, where it has some: at most ``maximumMessageBytes``.
    public let message: String?

    /// The most bytes of UTF-8 that are kept of a message.
    public static let maximumMessageBytes = 1024

    /// A rejection of the edit of the document `id`.
    ///
    /// - Parameters:
    ///   - id: the document's id.
    ///   - reason: why the edit was not accepted.
    ///   - current: with `.stale`, the server's document.
    ///   - message: words for people; what exceeds ``maximumMessageBytes`` is cut off.
    public init(
      id: String, reason: RejectionReason, current: Document? = nil, message: String? = nil
    ) {
      self.id = id
      self.reason = reason
      self.current = current
      self.message = message?.prefix(utf8Bytes: Self.maximumMessageBytes)
    }
  }

  /// The group's name.
  public var group: String
  /// The edits that were accepted.
  public var accepted: [Acceptance]
  /// The edits that were not accepted.
  public var rejected: [Rejection]
  /// The place in the group's history that the verdicts tell of. Hand it back with later requests, beside the cursor.
  public var seen: Cursor?
  /// The push was made on a history that the server's store does not continue, because it was put back to an earlier
  /// state. No edit of an existing document was accepted, and everything has to be read again from the beginning.
  public var isReset: Bool
  /// The server's clock, in milliseconds since 1970.
  public var now: Int64

  /// The verdicts on a push to this group.
  public init(
    group: String, accepted: [Acceptance], rejected: [Rejection], seen: Cursor? = nil,
    isReset: Bool = false, now: Int64
  ) {
    self.group = group
    self.accepted = accepted
    self.rejected = rejected
    self.seen = seen
    self.isReset = isReset
    self.now = now
  }
}

/// Why an edit was not accepted. Open-ended: a client takes a reason that it does not know for a temporary one.
public struct RejectionReason: Sendable, Hashable, CustomStringConvertible {
  /// The keyword on the wire, without its colon.
  public var text: String

  /// A reason of this keyword, given without its colon.
  public init(_ text: String) { self.text = text }

  /// The edit was made on a version that is not the current one.
  public static let stale = RejectionReason("stale")
  /// The id or the value can never be stored, or the server's application refuses the write.
  public static let invalid = RejectionReason("invalid")
  /// The value exceeds the server's limit.
  public static let tooLarge = RejectionReason("too-large")
  /// Another edit spoiled the atomic push.
  public static let aborted = RejectionReason("aborted")

  /// The keyword, without its colon.
  public var description: String { text }
}
