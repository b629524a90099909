public import struct Foundation.UUID

/// Asks for the documents of a group that were written after a place in its history.
public struct PullRequest: Sendable, Hashable {
  /// Where in the group's history to begin.
  public enum Start: Sendable, Hashable {
    /// Everything that is alive.
    case beginning
    /// What came after an earlier answer.
    case cursor(Cursor)
    /// What was written in this millisecond (since 1970, the server's clock) or later; may repeat, never skips.
    case since(Int64)
  }

  /// The group's name: 1 to 128 bytes of UTF-8 in composed form (NFC), without control characters.
  public var group: String
  /// Where to begin.
  public var start: Start
  /// The newest place in the group's history that a push's answer has told of: a server whose history does not have
  /// it, because it was restored from a backup, answers a reset.
  public var seen: Cursor?
  /// The most documents to answer; `nil` for the server's default.
  public var limit: Int?

  /// A request for a page of this group.
  public init(group: String, start: Start = .beginning, seen: Cursor? = nil, limit: Int? = nil) {
    self.group = group
    self.start = start
    self.seen = seen
    self.limit = limit
  }

  /// - Parameters:
  ///   - group: the group to read.
  ///   - cursor: `nil` for everything that is alive.
  ///   - seen: the furthest place of the history that this client has seen.
  ///   - limit: the most documents to answer; `nil` for the server's own number.
  public init(group: String, cursor: Cursor?, seen: Cursor? = nil, limit: Int? = nil) {
    self.init(group: group, start: cursor.map { .cursor($0) } ?? .beginning, seen: seen, limit: limit)
  }
}

/// One page of a group's changes, read from one snapshot, oldest first.
public struct PullPage: Sendable, Hashable {
  /// The group's name.
  public var group: String
  /// The documents, oldest sequence first.
  public var documents: [Document]
  /// The identity of the server's store; `nil` from a server that does not tell.
  public var store: UUID?
  /// Hand it back next time.
  public var cursor: Cursor
  /// The page ended at a limit: pull again at once.
  public var hasMore: Bool
  /// The cursor that was asked for cannot be continued: this page and those up to the first without
  /// ``hasMore`` are the full live content.
  public var isReset: Bool
  /// The server's clock, in milliseconds since 1970.
  public var now: Int64
  /// The user that the server took the caller for; `nil` on an open server.
  public var user: String?

  /// A page of these documents.
  public init(
    group: String, documents: [Document], store: UUID? = nil, cursor: Cursor, hasMore: Bool,
    isReset: Bool = false, now: Int64, user: String? = nil
  ) {
    self.group = group
    self.documents = documents
    self.store = store
    self.cursor = cursor
    self.hasMore = hasMore
    self.isReset = isReset
    self.now = now
    self.user = user
  }
}
