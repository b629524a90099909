public import Transit

/// What a merge function is given.
public struct MergeInput: Sendable, Hashable {
  /// The document's id.
  public var document: String
  /// What both sides began with; `nil` when the document did not exist.
  public var base: TransitValue?
  /// What was written here; `nil` when it was deleted.
  public var local: TransitValue?
  /// What the server has; `nil` when it is deleted there.
  public var remote: TransitValue?

  /// The values of one document to merge.
  public init(document: String, base: TransitValue?, local: TransitValue?, remote: TransitValue?) {
    self.document = document
    self.base = base
    self.local = local
    self.remote = remote
  }
}

/// Who wins when a document was changed here and on the server.
///
/// Equal values are no conflict. Whatever the policy, each conflict is reported, and what lost is kept for the
/// configuration's retention.
public struct ConflictPolicy: Sendable {
  /// A merge: the value that stands, or `nil` to delete the document.
  ///
  /// Called on no particular thread, outside every lock, and again if anything changes meanwhile: it must depend
  /// on nothing but its input. When it throws, the conflict stays open and is reported.
  public typealias Merge = @Sendable (MergeInput) throws -> TransitValue?

  package enum Kind: Sendable {
    case serverWins
    case localWins
    case merge(Merge)
    case rebase(Merge)
  }

  package let kind: Kind

  /// The server's value stands. The default.
  public static let serverWins = ConflictPolicy(kind: .serverWins)
  /// The local value stands and overwrites the server's.
  public static let localWins = ConflictPolicy(kind: .localWins)
  /// The result of a function stands.
  public static func merge(_ merge: @escaping Merge) -> ConflictPolicy { ConflictPolicy(kind: .merge(merge)) }

  /// The swaps that made the local value run again, on the server's value.
  ///
  /// Closures do not outlive the process: after a restart, `merge` decides instead (by default, the server's value
  /// stands for edits whose swap is gone).
  public static func rebase(otherwise merge: @escaping Merge = { $0.remote }) -> ConflictPolicy {
    ConflictPolicy(kind: .rebase(merge))
  }
}
