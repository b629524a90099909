/// A set of any values that keeps the order in which they came.
///
/// Testing and adding are O(1) (expected), removing is O(n). Equality and hash ignore the order, and are linear in what
/// they look at, however deep it is nested.
public struct TransitSet: Sendable {
  /// The elements in order.
  var flat: FlatValues
  var index: HashIndex?

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

  /// Takes values as the elements, after dropping repeated ones; `distinct` says that all are known to be texts and to differ.
  @inline(__always)
  init(flat: FlatValues, distinct: Bool = false) {
    self.flat = flat
    index = nil
    if !distinct || flat.count > Self.flatLimit { adoptAll() }
  }

  private mutating func adoptAll() {
    if !adopt() { self = TransitSet(flat.withUnsafeBufferPointer(Array.init)) }
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
    flat.append(value)
    added()
    return true
  }

  /// Removes a value. O(n), since the order is kept.
  ///
  /// - Returns: whether the set had it.
  @discardableResult
  public mutating func remove(_ value: TransitValue) -> Bool {
    guard let position = position(of: value) else { return false }
    remove(at: position)
    return true
  }
}

extension TransitSet: RandomAccessCollection {
  /// The position of the first element: 0.
  public var startIndex: Int { 0 }
  /// The position after the last element: how many there are.
  public var endIndex: Int { flat.count }

  /// The element at a position of the order.
  public subscript(position: Int) -> TransitValue {
    precondition(position >= 0 && position < flat.count, "a position outside of the set")
    return flat[position]
  }
}

extension TransitSet: Hashable {
  /// Whether both have the same elements, in any order. O(n).
  public static func == (left: TransitSet, right: TransitSet) -> Bool { haveSameMembers(left, right) }

  /// Hashes the elements, whatever their order.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(count)
    hasher.combine(digest)
  }
}

extension TransitSet: KeyedMembers {
  static var width: Int { 1 }

  static func hash(member: UnsafePointer<TransitValue>) -> Int { member.pointee.hashValue }
}

extension TransitSet: ExpressibleByArrayLiteral {
  /// A set of the values as written; of equal ones the first is kept.
  public init(arrayLiteral elements: TransitValue...) {
    self.init(elements)
  }
}

extension TransitSet: CustomStringConvertible {
  /// The set as EDN.
  public var description: String { TransitValue.set(self).description }
}
