public import Transit

public import struct Foundation.Date

/// What became of one document's edit at the server.
public enum Verdict: Sendable, Hashable {
  /// The server has it, as this version. (0: it was undone before it was ever sent, or deleted what did not exist.)
  case accepted(version: Int64)
  /// The server will never accept it, for this reason; it is in the list of rejections.
  case rejected(reason: String)
  /// The document had changed on the server, whose value stands; the edit is in the list of conflicts.
  case superseded(conflict: Int64)
  /// The application discarded it, by `resync(discardingPending: true)`.
  case discarded

  /// Whether the server has accepted the edit.
  public var isAccepted: Bool { if case .accepted = self { true } else { false } }
}

/// An edit that the server has permanently rejected. It does not hold up other edits, and is kept until it is discarded
/// or retried. When a later edit of the document is accepted, or rejected in its place, it moves to the list of conflicts.
public struct Rejection: Sendable, Hashable {
  /// The document's id.
  public var document: String
  /// A keyword of the protocol, such as `invalid` or `too-large`.
  public var reason: String
  /// The server's own words for people, where it has some.
  public var message: String?
  /// What was to be; `nil` for a deletion.
  public var value: TransitValue?
  /// When it was rejected, by this machine's clock.
  public var detectedAt: Date

  /// A rejection of the edit of this document.
  public init(
    document: String, reason: String, message: String? = nil, value: TransitValue?, detectedAt: Date
  ) {
    self.document = document
    self.reason = reason
    self.message = message
    self.value = value
    self.detectedAt = detectedAt
  }
}
