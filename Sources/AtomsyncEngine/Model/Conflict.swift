public import Transit

public import struct Foundation.Date

/// A document that was changed here and on the server: what the two were, and what came of it.
public struct Conflict: Sendable, Hashable, Identifiable {
  /// What came of a conflict.
  public enum Outcome: Sendable, Hashable {
    /// The server's value stands; the local one is kept here.
    case serverWon
    /// The local value stands and is sent again; the server's is kept here.
    case localWon
    /// A merge of both stands and is sent.
    case merged
    /// No conflict with the server: the local value had been rejected by it, and a later edit, whose value is given as
    /// the remote one, has taken its place.
    case overtaken
    /// No conflict with a local edit: the server shows an older or a forged value of a document of an encrypted atom. The last
    /// genuine one that this device knew is given as the local one, and is sent by nobody unless you do.
    case rolledBack
    /// The merge failed, for this reason. The local value stands, but is not sent until the document changes again,
    /// here or on the server. Once that has settled it, the conflict is reported again, under a new number, in place
    /// of this report.
    case open(String)
  }

  /// The merge failed, and nobody has settled it yet.
  public var isOpen: Bool { if case .open = outcome { true } else { false } }

  /// Rises with each conflict of the atom.
  public var id: Int64
  /// The document's id.
  public var document: String
  /// What both sides began with; `nil` when the document did not exist.
  public var base: TransitValue?
  /// What was written here; `nil` when it was deleted.
  public var local: TransitValue?
  /// What the server has; `nil` when it is deleted there.
  public var remote: TransitValue?
  /// What came of it.
  public var outcome: Outcome
  /// When it was detected, by this machine's clock.
  public var detectedAt: Date

  /// A conflict of these values.
  public init(
    id: Int64, document: String, base: TransitValue?, local: TransitValue?, remote: TransitValue?,
    outcome: Outcome, detectedAt: Date
  ) {
    self.id = id
    self.document = document
    self.base = base
    self.local = local
    self.remote = remote
    self.outcome = outcome
    self.detectedAt = detectedAt
  }
}
