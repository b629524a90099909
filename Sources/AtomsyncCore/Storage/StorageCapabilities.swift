/// What a storage promises, for those who run it and for the tests that hold it to its word.
public struct StorageCapabilities: Sendable, Hashable {
  /// What survives once `commit` has returned.
  public enum Durability: Sendable, Hashable, Comparable {
    /// Nothing outlives the storage object.
    case none
    /// The process may die; a power cut may lose the last commits, never tear one.
    case process
    /// The machine may lose power.
    case power
  }

  /// What survives once `commit` has returned.
  public var durability: Durability
  /// Whether several processes may open the store at once.
  public var isShared: Bool
  /// The longest key in bytes. Atomsync needs 448 at most.
  public var maximumKeyLength: Int

  /// The promises of a storage.
  public init(durability: Durability, isShared: Bool, maximumKeyLength: Int) {
    self.durability = durability
    self.isShared = isShared
    self.maximumKeyLength = maximumKeyLength
  }
}
