/// A map from any value to any value that keeps the order in which its keys came.
///
/// Up to 16 entries live in one flat array and are searched in a row, without hashing; beyond that a hash table of
/// positions is kept beside the array. Looking up, adding and replacing are O(1) (expected), removing is O(n).
/// Equality and hash ignore the order.
public struct TransitMap: Sendable {
  /// One key and what it stands for.
  public typealias Element = (key: TransitValue, value: TransitValue)

  /// Keys and values in turn.
  private(set) var flat: [TransitValue]
  private var index: HashIndex?

  /// How many entries are searched in a row.
  static let flatLimit = 16

  /// An empty map.
  public init() {
    flat = []
    index = nil
  }

  /// A map of some entries; a later value for the same key replaces an earlier one, in the earlier place.
  public init(_ entries: some Sequence<Element>) {
    self.init()
    flat.reserveCapacity(entries.underestimatedCount * 2)
    for (key, value) in entries { self[key] = value }
  }

  /// Takes keys and values in turn, known to hold no key twice if `distinct`.
  init(flat: [TransitValue], distinct: Bool) {
    if flat.count <= 2 * Self.flatLimit {
      self.init(flat, nil)
      if distinct || !Self.hasRepeatedKey(flat) { return }
    } else {
      let index = Self.index(of: flat)
      self.init(flat, index)
      if index != nil { return }
    }
    self = TransitMap()
    var position = 0
    while position + 1 < flat.count {
      self[flat[position]] = flat[position + 1]
      position += 2
    }
  }

  @inline(__always)
  private init(_ flat: [TransitValue], _ index: HashIndex?) {
    self.flat = flat
    self.index = index
  }

  private static func hasRepeatedKey(_ flat: [TransitValue]) -> Bool {
    var later = 2
    while later < flat.count {
      var earlier = 0
      while earlier < later {
        if flat[earlier] == flat[later] { return true }
        earlier += 2
      }
      later += 2
    }
    return false
  }

  /// A table for flat pairs; nil if a key comes twice.
  private static func index(of flat: [TransitValue], roomFor count: Int = 0) -> HashIndex? {
    let index = HashIndex(capacity: Swift.max(flat.count / 2, count))
    var position = 0
    while position < flat.count / 2 {
      let hash = flat[2 * position].hashValue
      let found = index.find(hash: hash) { flat[2 * $0] == flat[2 * position] }
      if found != nil { return nil }
      index.insert(hash: hash, position: position)
      position += 1
    }
    return index
  }

  /// How many entries there are. O(1).
  public var count: Int { flat.count / 2 }

  /// Whether there are none. O(1).
  public var isEmpty: Bool { flat.isEmpty }

  /// The position of a key among the entries.
  func position(of key: TransitValue) -> Int? {
    if let index { return index.find(hash: key.hashValue) { flat[2 * $0] == key } }
    var position = 0
    while position < flat.count {
      if flat[position] == key { return position / 2 }
      position += 2
    }
    return nil
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
        index.insert(hash: key.hashValue, position: position)
      } else {
        let own = index.copy()
        own.insert(hash: key.hashValue, position: position)
        self.index = own
      }
    } else if position >= Self.flatLimit {
      index = Self.index(of: flat, roomFor: 2 * (position + 1))
    }
  }

  private mutating func remove(at position: Int) {
    flat.removeSubrange(2 * position..<2 * position + 2)
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

  /// The entry at a position of the order.
  public subscript(position: Int) -> Element {
    (key: flat[2 * position], value: flat[2 * position + 1])
  }
}

extension TransitMap: Hashable {
  /// Whether both have the same keys with equal values, in any order. O(n).
  public static func == (left: TransitMap, right: TransitMap) -> Bool {
    guard left.count == right.count else { return false }
    var position = 0
    while position < left.flat.count {
      let key = left.flat[position]
      let value = left.flat[position + 1]
      // Equal maps mostly have one order.
      if right.flat[position] == key {
        if right.flat[position + 1] != value { return false }
      } else {
        guard let other = right.position(of: key), right.flat[2 * other + 1] == value else { return false }
      }
      position += 2
    }
    return true
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
