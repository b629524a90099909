/// A map from any value to any value that keeps the order in which its keys came.
///
/// Up to 16 entries live in one flat buffer and are searched in a row, without hashing; beyond that a hash table of
/// positions is kept beside it. Looking up, adding and replacing are O(1) (expected), removing is O(n). Equality and
/// hash ignore the order.
public struct TransitMap: Sendable {
  /// One key and what it stands for.
  public typealias Element = (key: TransitValue, value: TransitValue)

  /// Keys and values in turn.
  private(set) var flat: FlatValues
  private var index: HashIndex?

  /// How many entries are searched in a row.
  static let flatLimit = 16

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

  /// Takes keys and values in turn; `distinct` says that no key is known to come twice.
  @inline(__always)
  init(flat: FlatValues, distinct: Bool) {
    self.flat = flat
    index = nil
    if flat.count > 2 * Self.flatLimit {
      adoptLarge()
    } else if !distinct {
      adoptSmall()
    }
  }

  private mutating func adoptSmall() {
    let repeated = flat.withUnsafeBufferPointer { values in
      for later in stride(from: 2, to: values.count, by: 2) {
        for earlier in stride(from: 0, to: later, by: 2) where values[earlier] == values[later] {
          return true
        }
      }
      return false
    }
    if repeated { adoptRepeated() }
  }

  private mutating func adoptLarge() {
    index = Self.index(of: flat)
    if index == nil { adoptRepeated() }
  }

  private mutating func adoptRepeated() {
    let all = flat
    self = TransitMap()
    var position = 0
    while position + 1 < all.count {
      self[all[position]] = all[position + 1]
      position += 2
    }
  }

  /// A table for flat pairs; nil if a key comes twice.
  private static func index(of flat: FlatValues, roomFor count: Int = 0) -> HashIndex? {
    flat.withUnsafeBufferPointer { values in
      let index = HashIndex(capacity: Swift.max(values.count / 2, count))
      var position = 0
      while position < values.count / 2 {
        let hash = values[2 * position].tableHash
        let found = index.find(hash: hash) { values[2 * $0] == values[2 * position] }
        if found != nil { return nil }
        index.insert(hash: hash, position: position)
        position += 1
      }
      return index
    }
  }

  /// How many entries there are. O(1).
  public var count: Int { flat.count / 2 }

  /// Whether there are none. O(1).
  public var isEmpty: Bool { flat.isEmpty }

  /// The position of a key among the entries.
  func position(of key: TransitValue) -> Int? {
    flat.withUnsafeBufferPointer { values in
      if let index { return index.find(hash: key.tableHash) { values[2 * $0] == key } }
      var position = 0
      while position < values.count {
        if values[position] == key { return position / 2 }
        position += 2
      }
      return nil
    }
  }

  /// The value of a key; nil if the map has no such key. Setting nil removes the key.
  ///
  /// Keys compare by type as well: `1`, `1.0`, `"a"` and `:a` are four keys.
  public subscript(key: TransitValue) -> TransitValue? {
    get { position(of: key).map { flat[2 * $0 + 1] } }
    set {
      if let position = position(of: key) {
        if let newValue { flat[2 * position + 1] = newValue } else { remove(at: position) }
      } else if let newValue {
        append(key, newValue)
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

  private mutating func append(_ key: TransitValue, _ value: TransitValue) {
    let position = count
    flat.append(key)
    flat.append(value)
    if let index, position < index.capacity {
      if isKnownUniquelyReferenced(&self.index) {
        index.insert(hash: key.tableHash, position: position)
      } else {
        let own = index.copy()
        own.insert(hash: key.tableHash, position: position)
        self.index = own
      }
    } else if position >= Self.flatLimit {
      index = Self.index(of: flat, roomFor: 2 * (position + 1))
    }
  }

  private mutating func remove(at position: Int) {
    flat.remove(at: 2 * position, count: 2)
    index = count > Self.flatLimit ? Self.index(of: flat) : nil
  }

  /// The keys, in order.
  public var keys: [TransitValue] { map(\.key) }

  /// The values, in the order of their keys.
  public var values: [TransitValue] { map(\.value) }
}

extension TransitMap: RandomAccessCollection {
  public var startIndex: Int { 0 }
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
  public static func == (left: TransitMap, right: TransitMap) -> Bool {
    guard left.count == right.count else { return false }
    return left.flat.withUnsafeBufferPointer { mine in
      right.flat.withUnsafeBufferPointer { theirs in
        var position = 0
        while position < mine.count {
          // Equal maps mostly have one order.
          if theirs[position] == mine[position] {
            if theirs[position + 1] != mine[position + 1] { return false }
          } else {
            guard let other = right.position(of: mine[position]), theirs[2 * other + 1] == mine[position + 1]
            else { return false }
          }
          position += 2
        }
        return true
      }
    }
  }

  public func hash(into hasher: inout Hasher) {
    var sum = 0
    for (key, value) in self {
      var entry = Hasher()
      entry.combine(key)
      entry.combine(value)
      sum &+= entry.finalize()
    }
    hasher.combine(count)
    hasher.combine(sum)
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
