/// A set of any values that keeps the order in which they came.
///
/// Up to 16 elements live in one flat array and are searched in a row, without hashing; beyond that a hash table of
/// positions is kept beside the array. Testing and adding are O(1) (expected), removing is O(n). Equality and hash
/// ignore the order.
public struct TransitSet: Sendable {
  /// The elements, in order.
  public private(set) var elements: [TransitValue]
  private var index: HashIndex?

  /// An empty set.
  public init() {
    elements = []
    index = nil
  }

  /// A set of some values; of equal ones the first is kept.
  public init(_ values: some Sequence<TransitValue>) {
    self.init(elements: Array(values))
  }

  /// Takes an array as the elements, after dropping repeated ones.
  init(elements: [TransitValue]) {
    if elements.count <= TransitMap.flatLimit {
      self.init(elements, nil)
      if !Self.hasRepeated(elements) { return }
    } else {
      let index = Self.index(of: elements)
      self.init(elements, index)
      if index != nil { return }
    }
    self = TransitSet()
    for value in elements { insert(value) }
  }

  @inline(__always)
  private init(_ elements: [TransitValue], _ index: HashIndex?) {
    self.elements = elements
    self.index = index
  }

  private static func hasRepeated(_ elements: [TransitValue]) -> Bool {
    var later = 1
    while later < elements.count {
      var earlier = 0
      while earlier < later {
        if elements[earlier] == elements[later] { return true }
        earlier += 1
      }
      later += 1
    }
    return false
  }

  private static func index(of elements: [TransitValue], roomFor count: Int = 0) -> HashIndex? {
    let index = HashIndex(capacity: Swift.max(elements.count, count))
    for position in elements.indices {
      let hash = elements[position].hashValue
      let found = index.find(hash: hash) { elements[$0] == elements[position] }
      if found != nil { return nil }
      index.insert(hash: hash, position: position)
    }
    return index
  }

  private func position(of value: TransitValue) -> Int? {
    if let index { return index.find(hash: value.hashValue) { elements[$0] == value } }
    return elements.firstIndex(of: value)
  }

  /// Whether the set has a value.
  public func contains(_ value: TransitValue) -> Bool { position(of: value) != nil }

  /// Adds a value at the end, unless the set has it.
  ///
  /// - Returns: whether it was added.
  @discardableResult
  public mutating func insert(_ value: TransitValue) -> Bool {
    guard position(of: value) == nil else { return false }
    let position = elements.count
    elements.append(value)
    if let index, position < index.capacity {
      if isKnownUniquelyReferenced(&self.index) {
        index.insert(hash: value.hashValue, position: position)
      } else {
        let own = index.copy()
        own.insert(hash: value.hashValue, position: position)
        self.index = own
      }
    } else if position >= TransitMap.flatLimit {
      index = Self.index(of: elements, roomFor: 2 * elements.count)
    }
    return true
  }

  /// Removes a value. O(n), since the order is kept.
  ///
  /// - Returns: whether the set had it.
  @discardableResult
  public mutating func remove(_ value: TransitValue) -> Bool {
    guard let position = position(of: value) else { return false }
    elements.remove(at: position)
    index = elements.count > TransitMap.flatLimit ? Self.index(of: elements) : nil
    return true
  }
}

extension TransitSet: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { elements.count }

  /// The element at a position of the order.
  public subscript(position: Int) -> TransitValue { elements[position] }
}

extension TransitSet: Hashable {
  /// Whether both have the same elements, in any order. O(n).
  public static func == (left: TransitSet, right: TransitSet) -> Bool {
    guard left.count == right.count else { return false }
    return left.elements.indices.allSatisfy { position in
      right.elements[position] == left.elements[position] || right.contains(left.elements[position])
    }
  }

  public func hash(into hasher: inout Hasher) {
    var sum = 0
    for value in elements { sum &+= value.hashValue }
    hasher.combine(count)
    hasher.combine(sum)
  }
}

extension TransitSet: ExpressibleByArrayLiteral {
  public init(arrayLiteral elements: TransitValue...) {
    self.init(elements: elements)
  }
}

extension TransitSet: CustomStringConvertible {
  /// The set as EDN.
  public var description: String { TransitValue.set(self).description }
}
