/// A set of any values that keeps the order in which they came.
///
/// Up to 16 elements live in one flat buffer and are searched in a row, without hashing; beyond that a hash table of
/// positions is kept beside it. Testing and adding are O(1) (expected), removing is O(n). Equality and hash ignore
/// the order.
public struct TransitSet: Sendable {
  /// The elements in order.
  private(set) var flat: FlatValues
  private var index: HashIndex?

  /// An empty set.
  public init() {
    flat = FlatValues()
    index = nil
  }

  /// A set of some values; of equal ones the first is kept.
  public init(_ values: some Sequence<TransitValue>) {
    self.init()
    flat.reserveCapacity(values.underestimatedCount)
    for value in values { insert(value) }
  }

  /// Takes values as the elements, after dropping repeated ones; `distinct` says that none is known to be.
  @inline(__always)
  init(flat: FlatValues, distinct: Bool = false) {
    self.flat = flat
    index = nil
    if !distinct || flat.count > TransitMap.flatLimit { adopt() }
  }

  private mutating func adopt() {
    let distinct: Bool
    if flat.count <= TransitMap.flatLimit {
      distinct = flat.count < 2 || !hasRepeated
    } else {
      index = Self.index(of: flat)
      distinct = index != nil
    }
    if !distinct { self = TransitSet(flat.withUnsafeBufferPointer(Array.init)) }
  }

  private var hasRepeated: Bool {
    flat.withUnsafeBufferPointer { values in
      for later in 1..<values.count {
        for earlier in 0..<later where values[earlier] == values[later] { return true }
      }
      return false
    }
  }

  private static func index(of flat: FlatValues, roomFor count: Int = 0) -> HashIndex? {
    flat.withUnsafeBufferPointer { values in
      let index = HashIndex(capacity: Swift.max(values.count, count))
      for position in values.indices {
        let hash = values[position].tableHash
        let found = index.find(hash: hash) { values[$0] == values[position] }
        if found != nil { return nil }
        index.insert(hash: hash, position: position)
      }
      return index
    }
  }

  private func position(of value: TransitValue) -> Int? {
    flat.withUnsafeBufferPointer { values in
      if let index { return index.find(hash: value.tableHash) { values[$0] == value } }
      return values.firstIndex(of: value)
    }
  }

  /// The elements, in order. O(n).
  public var elements: [TransitValue] { flat.withUnsafeBufferPointer(Array.init) }

  /// Whether the set has a value.
  public func contains(_ value: TransitValue) -> Bool { position(of: value) != nil }

  /// Adds a value at the end, unless the set has it.
  ///
  /// - Returns: whether it was added.
  @discardableResult
  public mutating func insert(_ value: TransitValue) -> Bool {
    guard position(of: value) == nil else { return false }
    let position = flat.count
    flat.append(value)
    if let index, position < index.capacity {
      if isKnownUniquelyReferenced(&self.index) {
        index.insert(hash: value.tableHash, position: position)
      } else {
        let own = index.copy()
        own.insert(hash: value.tableHash, position: position)
        self.index = own
      }
    } else if position >= TransitMap.flatLimit {
      index = Self.index(of: flat, roomFor: 2 * flat.count)
    }
    return true
  }

  /// Removes a value. O(n), since the order is kept.
  ///
  /// - Returns: whether the set had it.
  @discardableResult
  public mutating func remove(_ value: TransitValue) -> Bool {
    guard let position = position(of: value) else { return false }
    flat.remove(at: position, count: 1)
    index = flat.count > TransitMap.flatLimit ? Self.index(of: flat) : nil
    return true
  }
}

extension TransitSet: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { flat.count }

  /// The element at a position of the order.
  public subscript(position: Int) -> TransitValue {
    precondition(position >= 0 && position < flat.count, "a position outside of the set")
    return flat[position]
  }
}

extension TransitSet: Hashable {
  /// Whether both have the same elements, in any order. O(n).
  public static func == (left: TransitSet, right: TransitSet) -> Bool {
    guard left.count == right.count else { return false }
    return left.flat.withUnsafeBufferPointer { mine in
      right.flat.withUnsafeBufferPointer { theirs in
        mine.indices.allSatisfy { theirs[$0] == mine[$0] || right.contains(mine[$0]) }
      }
    }
  }

  public func hash(into hasher: inout Hasher) {
    var sum = 0
    for value in self { sum &+= value.hashValue }
    hasher.combine(count)
    hasher.combine(sum)
  }
}

extension TransitSet: ExpressibleByArrayLiteral {
  public init(arrayLiteral elements: TransitValue...) {
    self.init(elements)
  }
}

extension TransitSet: CustomStringConvertible {
  /// The set as EDN.
  public var description: String { TransitValue.set(self).description }
}
