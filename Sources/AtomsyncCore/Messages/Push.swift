public import struct Foundation.UUID

/// A change of one document that a client asks for.
public struct Edit: Sendable, Hashable {
  public var id: String
  /// The version that the edit was made on; 0 for "does not exist".
  public var version: Int64
  public var content: Content

  public init(id: String, version: Int64, content: Content) {
    self.id = id
    self.version = version
    self.content = content
  }
}

/// Names one push of one client, which makes it idempotent. (Docs/Protocol.md §4.)
public struct PushTicket: Sendable, Hashable {
  public var client: UUID
  /// Rises by one with each new push of the client to the group.
  public var number: Int64

  public init(client: UUID, number: Int64) {
    self.client = client
    self.number = number
  }
}

/// Asks for some documents to be changed.
public struct PushRequest: Sendable, Hashable {
  public var group: String
  public var ticket: PushTicket?
  /// All edits or none.
  public var isAtomic: Bool
  public var edits: [Edit]
  /// The user that the edits belong to: a server that takes the caller for somebody else refuses the push.
  public var user: String?
  /// Where the versions of the edits come from: a server that cannot continue this cursor, because it was restored
  /// from a backup, takes no edit of an existing document.
  public var cursor: Cursor?
  /// The newest place in the group's history that an earlier answer has told of, for the same reason.
  public var seen: Cursor?

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
    public var id: String
    public var version: Int64
    public var updated: Int64

    public init(id: String, version: Int64, updated: Int64) {
      self.id = id
      self.version = version
      self.updated = updated
    }
  }

  /// An edit that was not accepted, and why.
  public struct Rejection: Sendable, Hashable {
    public var id: String
    public var reason: RejectionReason
    /// With `.stale`: the server's document (version 0 and deleted when it knows none).
    public var current: Document?
    /// The server's own words for people, where it has some: at most ``maximumMessageBytes``.
    public let message: String?

    /// The most bytes of UTF-8 that are kept of a message.
    public static let maximumMessageBytes = 1024

    public init(
      id: String, reason: RejectionReason, current: Document? = nil, message: String? = nil
    ) {
      self.id = id
      self.reason = reason
      self.current = current
      self.message = message?.prefix(utf8Bytes: Self.maximumMessageBytes)
    }
  }

  public var group: String
  public var accepted: [Acceptance]
  public var rejected: [Rejection]
  /// The place in the group's history that the verdicts tell of. Hand it back with later requests, beside the cursor.
  public var seen: Cursor?
  /// The push was made on a history that the server's store does not continue, because it was put back to an earlier
  /// state. No edit of an existing document was accepted, and everything has to be read again from the beginning.
  public var isReset: Bool
  /// The server's clock, in milliseconds since 1970.
  public var now: Int64

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

  public init(_ text: String) { self.text = text }

  /// The edit was made on a version that is not the current one.
  public static let stale = RejectionReason("stale")
  /// The id or the value can never be stored, or the server's application refuses the write.
  public static let invalid = RejectionReason("invalid")
  /// The value exceeds the server's limit.
  public static let tooLarge = RejectionReason("too-large")
  /// Another edit spoiled the atomic push.
  public static let aborted = RejectionReason("aborted")

  public var description: String { text }
}
