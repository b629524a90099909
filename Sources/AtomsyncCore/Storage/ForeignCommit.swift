/// News of a commit that another process may have made.
public struct ForeignCommit: Sendable, Hashable {
  /// What the commit's batches are about; `nil`: it may be about anything.
  public var topics: Set<String>?

  /// News of a commit about these topics, or about anything.
  public init(topics: Set<String>? = nil) { self.topics = topics }
}
