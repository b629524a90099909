/// Writes that happen together or not at all, if their preconditions hold.
public struct StorageBatch: Sendable, Hashable {
  /// Checked before any write of this batch, and after all writes of the batches before it.
  public var preconditions: [StoragePrecondition]
  /// Applied in order; a later write of a key wins over an earlier one.
  public var writes: [StorageWrite]
  /// What the batch is about, in the writer's own names, for other processes that wait for commits (``ForeignCommit``);
  /// `nil`: it may be about anything. A batch that is about nothing (`[]`) wakes nobody.
  public var topics: Set<String>?

  /// A batch of these writes, applied if all preconditions hold.
  public init(
    preconditions: [StoragePrecondition] = [], writes: [StorageWrite] = [], topics: Set<String>? = nil
  ) {
    self.preconditions = preconditions
    self.writes = writes
    self.topics = topics
  }

  /// Adds a write that stores `value` at `key`.
  public mutating func put(_ key: [UInt8], _ value: [UInt8]) { writes.append(.put(key, value)) }
  /// Adds a write that removes `key`.
  public mutating func delete(_ key: [UInt8]) { writes.append(.delete(key)) }

  /// One batch that comes to the same as these, applied in order: for batches without preconditions.
  package static func merging(_ batches: [StorageBatch]) -> StorageBatch {
    var last: [[UInt8]: Int] = [:]
    let writes = batches.flatMap(\.writes)
    for (index, write) in writes.enumerated() { last[write.key] = index }
    return StorageBatch(
      writes: writes.enumerated().filter { last[$0.element.key] == $0.offset }.map(\.element))
  }

  /// About how many bytes the batch carries.
  public var byteCount: Int {
    writes.reduce(0) { sum, write in
      switch write {
      case .put(let key, let value): sum + key.count + value.count
      case .delete(let key): sum + key.count
      }
    }
  }
}

/// What must be true of a key for a batch to be applied.
public enum StoragePrecondition: Sendable, Hashable {
  /// Nothing is stored at this key.
  case absent([UInt8])
  /// What is stored at the key (the first) is exactly this value (the second).
  case equals([UInt8], [UInt8])

  /// The key that is looked at.
  public var key: [UInt8] {
    switch self {
    case .absent(let key), .equals(let key, _): key
    }
  }

  /// Whether the precondition holds for what is stored at ``key`` (`nil`: nothing).
  public func holds(for stored: [UInt8]?) -> Bool {
    switch self {
    case .absent: stored == nil
    case .equals(_, let expected): stored == expected
    }
  }
}

/// One change of one key. Deleting an absent key is no error.
public enum StorageWrite: Sendable, Hashable {
  /// Stores a value (the second) at a key (the first), in place of what was there.
  case put([UInt8], [UInt8])
  /// Removes a key and its value.
  case delete([UInt8])

  /// The key that is changed.
  public var key: [UInt8] {
    switch self {
    case .put(let key, _), .delete(let key): key
    }
  }
}

/// What became of a batch.
public enum StorageOutcome: Sendable, Hashable {
  /// Applied, and durable as promised.
  case committed
  /// Not applied: the precondition on this key did not hold.
  case refused(key: [UInt8])
}
