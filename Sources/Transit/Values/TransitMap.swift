/// A map from any value to any value that keeps the order in which its keys came.
///
/// Looking up, adding and replacing are O(1) (expected), removing is O(n). Equality and hash ignore the order, and are
/// linear in what they look at, however deep it is nested.
public struct TransitMap: Sendable {
  /// One key and what it stands for.
  public typealias Element = (key: TransitValue, value: TransitValue)

  /// Keys and values in turn.
  var flat: FlatValues
  var index: HashIndex?

  /// An empty map.
  public init() {
    flat = FlatValues()
    index = nil
  }

  /// A map of some entries; a later value for the same key replaces an earlier one, in the earlier place.
  public init(_ entries: some Sequence<Element>) {
    self.init()
    flat.reserveCapacity(entries.underestimatedCount * 2)
    for (key, value) in entries { self[key] = value }
  }

  /// Takes keys and values in turn; `distinct` says that all keys are known to be texts and to differ.
  @inline(__always)
  init(flat: FlatValues, distinct: Bool) {
    self.flat = flat
    index = nil
    if !distinct || flat.count > 2 * Self.flatLimit { adoptAll() }
  }

  private mutating func adoptAll() {
    if adopt() { return }
    let all = flat
    self = TransitMap()
    var position = 0
    while position + 1 < all.count {
      self[all[position]] = all[position + 1]
      position += 2
    }
  }

  /// How many entries there are. O(1).
  public var count: Int { flat.count / 2 }

  /// Whether there are none. O(1).
  public var isEmpty: Bool { flat.isEmpty }

  /// The value of a key; nil if the map has no such key. Setting nil removes the key.
  ///
  /// Keys compare by type as well: `1`, `1.0`, `"a"` and `:a` are four keys.
  public subscript(key: TransitValue) -> TransitValue? {
    get { position(of: key).map { flat[2 * $0 + 1] } }
    set {
      if let position = position(of: key) {
        if let newValue { replace(at: position, newValue) } else { remove(at: position) }
      } else if let newValue {
        flat.append(key)
        flat.append(newValue)
        added()
      }
    }
  }

  /// The value of a key, or a default that is stored when the value is changed in place.
  public subscript(key: TransitValue, default fallback: @autoclosure () -> TransitValue) -> TransitValue {
    get { self[key] ?? fallback() }
    set { self[key] = newValue }
  }

  /// Removes a key. O(n), since the order is kept.
  ///
  /// - Returns: what the key stood for, nil if there was no such key.
  @discardableResult
  public mutating func removeValue(forKey key: TransitValue) -> TransitValue? {
    guard let position = position(of: key) else { return nil }
    let value = flat[2 * position + 1]
    remove(at: position)
    return value
  }

  private mutating func replace(at position: Int, _ value: TransitValue) {
    guard flat.digest != 0 else {
      flat[2 * position + 1] = value
      return
    }
    let others = flat.digest &- hash(at: position)
    flat[2 * position + 1] = value
    flat.digest = others &+ hash(at: position)
  }

  /// The keys, in order.
  public var keys: [TransitValue] { map(\.key) }

  /// The values, in the order of their keys.
  public var values: [TransitValue] { map(\.value) }
}

extension TransitMap: RandomAccessCollection {
  /// The position of the first entry: 0.
  public var startIndex: Int { 0 }
  /// The position after the last entry: how many there are.
  public var endIndex: Int { count }

  /// The entry at a position of the order, which must be below `count`.
  ///
  /// An integer literal alone is a position; the key 5 is `map[.int(5)]`.
  public subscript(position: Int) -> Element {
    precondition(position >= 0 && position < count, "a position outside of the map")
    return (key: flat[2 * position], value: flat[2 * position + 1])
  }
}

extension TransitMap: Hashable {
  /// Whether both have the same keys with equal values, in any order. O(n).
  public static func == (left: TransitMap, right: TransitMap) -> Bool { haveSameMembers(left, right) }

  /// Hashes the entries, whatever their order.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(count)
    hasher.combine(digest)
  }
}

extension TransitMap: KeyedMembers {
  static var width: Int { 2 }

  static func hash(member: UnsafePointer<TransitValue>) -> Int {
    var hasher = Hasher()
    hasher.combine(member[0])
    hasher.combine(member[1])
    return hasher.finalize()
  }
}

extension TransitMap: ExpressibleByDictionaryLiteral {
  /// A map of the entries as written; of two equal keys the later value counts.
  public init(dictionaryLiteral elements: (TransitValue, TransitValue)...) {
    self.init(elements.lazy.map { (key: $0.0, value: $0.1) })
  }
}

extension TransitMap: CustomStringConvertible {
  /// The map as EDN.
  public var description: String { TransitValue.map(self).description }
}

extension TransitMap {
  /// Keys and values in turn, where they lie: for as long as somebody keeps this map.
  var entriesInPlace: UnsafeBufferPointer<TransitValue> { flat.withUnsafeBufferPointer { $0 } }

  func position(named name: String, keyword: Bool) -> Int? {
    position(of: keyword ? .keyword(Keyword(name)) : .string(name))
  }

  @inline(__always)
  static func isNamed(_ key: UnsafePointer<TransitValue>, _ name: String, keyword: Bool) -> Bool {
    switch key.pointee {
    case .keyword(let other): keyword && ExactText.equal(other.text, name)
    case .string(let other): !keyword && ExactText.equal(other, name)
    default: false
    }
  }
}
