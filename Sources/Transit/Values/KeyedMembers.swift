/// What maps and sets have in common: members in the order in which they came, told apart by a key each.
///
/// Up to 16 members are searched in a row, without hashing, as long as their keys are simple. Beyond that, or once a key
/// is a composite, a hash table of positions is kept beside them; with composite keys also a digest of all members. It
/// tells unequal members of maps and sets apart without a look inside, and is a part of the hash of what they are in.
/// Comparing and hashing are linear for that reason, whatever is nested in what: without it, each level that compares a
/// member twice doubles the work of the levels below.
protocol KeyedMembers {
  /// How many values a member takes. The first is its key.
  static var width: Int { get }
  /// A hash of one member, from its first value on.
  static func hash(member: UnsafePointer<TransitValue>) -> Int

  /// The members' values in turn.
  var flat: FlatValues { get set }
  /// The positions of the members by the hashes of their keys; nil while they are searched in a row.
  var index: HashIndex? { get set }
}

extension KeyedMembers {
  /// How many members are searched in a row.
  static var flatLimit: Int { 16 }

  // MARK: Finding

  /// The position of a key among the members.
  @inline(__always)
  func position(of key: TransitValue) -> Int? {
    flat.withUnsafeBufferPointer { values in
      if let index { return index.find(hash: key.tableHash) { values[Self.width &* $0] == key } }
      var position = 0
      while position < values.count {
        if values[position] == key { return position / Self.width }
        position &+= Self.width
      }
      return nil
    }
  }

  // MARK: Taking members

  /// Prepares members that came all at once; false if a key comes twice. O(n)
  mutating func adopt() -> Bool {
    let hasCompositeKeys = flat.withUnsafeBufferPointer { values in
      stride(from: 0, to: values.count, by: Self.width).contains { values[$0].isComposite }
    }
    if !hasCompositeKeys && flat.count <= Self.width * Self.flatLimit { return !hasRepeated }
    guard makeIndex(roomFor: 0) else { return false }
    if hasCompositeKeys { flat.digest = digest }
    return true
  }

  private var hasRepeated: Bool {
    flat.withUnsafeBufferPointer { values in
      for later in stride(from: Self.width, to: values.count, by: Self.width) {
        for earlier in stride(from: 0, to: later, by: Self.width) where values[earlier] == values[later] {
          return true
        }
      }
      return false
    }
  }

  /// Makes the table; false if a key comes twice.
  private mutating func makeIndex(roomFor count: Int) -> Bool {
    index = flat.withUnsafeBufferPointer { values in
      let index = HashIndex(capacity: Swift.max(values.count / Self.width, count))
      for position in 0..<(values.count / Self.width) {
        let key = Self.width &* position
        let hash = values[key].tableHash
        if index.find(hash: hash, matches: { values[Self.width &* $0] == values[key] }) != nil { return nil }
        index.insert(hash: hash, position: position)
      }
      return index
    }
    return index != nil
  }

  /// Takes note of a member whose values were just added at the end. Its key must be new.
  mutating func added() {
    let position = flat.count / Self.width - 1
    let key = flat[Self.width * position]
    let hasComposite = key.isComposite || flat.digest != 0
    if position < index?.capacity ?? 0 {
      // Bound to no name before: a second reference would have the table copied for each member.
      if !isKnownUniquelyReferenced(&index) { index = index?.copy() }
      index?.insert(hash: key.tableHash, position: position)
    } else if hasComposite || position >= Self.flatLimit {
      _ = makeIndex(roomFor: 2 * (position + 1))
    }
    if hasComposite { flat.digest = flat.digest == 0 ? digest : flat.digest &+ hash(at: position) }
  }

  /// Removes a member. O(n), since the order is kept.
  mutating func remove(at position: Int) {
    if flat.digest != 0 { flat.digest = flat.digest &- hash(at: position) }
    flat.remove(at: Self.width * position, count: Self.width)
    if flat.digest == 0 && flat.count <= Self.width * Self.flatLimit {
      index = nil
    } else {
      _ = makeIndex(roomFor: 0)
    }
  }

  /// A hash of the member at a position.
  func hash(at position: Int) -> Int {
    flat.withUnsafeBufferPointer { values in
      values.baseAddress.map { Self.hash(member: $0 + Self.width * position) } ?? 0
    }
  }

  // MARK: Comparing

  /// The sum of the members' hashes, which does not depend on their order. O(1) where a key is a composite, else O(n).
  var digest: Int {
    if flat.digest != 0 { return flat.digest }
    return flat.withUnsafeBufferPointer { values in
      guard let first = values.baseAddress else { return 0 }
      return stride(from: 0, to: values.count, by: Self.width).reduce(0) {
        $0 &+ Self.hash(member: first + $1)
      }
    }
  }

  /// Whether both have the same members, in any order. O(n)
  static func haveSameMembers(_ left: Self, _ right: Self) -> Bool {
    guard left.flat.count == right.flat.count else { return false }
    let hasCompositeKeys = left.flat.digest != 0
    if hasCompositeKeys, right.flat.digest != 0, left.flat.digest != right.flat.digest { return false }
    return left.flat.withUnsafeBufferPointer { mine in
      right.flat.withUnsafeBufferPointer { theirs in
        if mine.baseAddress == theirs.baseAddress { return true }
        var position = 0
        while position < mine.count {
          var other = position
          // Equal ones mostly have one order. A composite is found by its hash, to be looked into once at most.
          if hasCompositeKeys && mine[position].isComposite || theirs[position] != mine[position] {
            guard let found = right.position(of: mine[position]) else { return false }
            other = found &* width
          }
          for offset in 1..<Swift.max(width, 1) where theirs[other &+ offset] != mine[position &+ offset] {
            return false
          }
          position &+= width
        }
        return true
      }
    }
  }
}

extension TransitValue {
  /// Whether other values are within, so that comparing it may take more than a moment.
  var isComposite: Bool {
    switch self {
    case .array, .list, .set, .map, .link, .tagged: true
    default: false
    }
  }
}
