public import Transit

/// What became of one document's edit at the server.
public enum Verdict: Sendable, Hashable {
  /// The server has it, as this version. (0: it was undone before it was ever sent.)
  case accepted(version: Int64)
  /// The server can never take it, for this reason; it is in the list of rejected edits.
  case rejected(reason: String)
  /// The document had changed on the server, whose value stands; the edit is in the list of conflicts.
  case overruled(conflict: Int64)
  /// The edit was thrown away here, by `reset(keepPending: false)` or `discard`.
  case discarded

  public var isAccepted: Bool { if case .accepted = self { true } else { false } }
}

/// An edit that the server can never take. It is out of the way of the others, and kept until it is discarded or
/// retried. When a later edit of the document is accepted, or rejected in its place, it moves to the list of conflicts.
public struct Rejection: Sendable, Hashable {
  public var document: String
  /// A keyword of the protocol, such as `invalid` or `too-large`.
  public var reason: String
  /// What was to be; `nil` for a deletion.
  public var value: TransitValue?
  /// When it was rejected, in milliseconds since 1970 by this machine's clock.
  public var noticed: Int64

  public init(document: String, reason: String, value: TransitValue?, noticed: Int64) {
    self.document = document
    self.reason = reason
    self.value = value
    self.noticed = noticed
  }
}
