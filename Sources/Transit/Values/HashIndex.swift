/// An open-addressing table from hashes to positions, for maps and sets too big to search in a row.
///
/// It knows positions and half of each hash; the owner compares where the halves are the same. A slot holds that half
/// above the position + 1; zero is free.
final class HashIndex: @unchecked Sendable {
  // Unchecked, because it is a class with changing memory. Sound, because its owners are values that change a table only
  // while they are alone with it, as `isKnownUniquelyReferenced` tells them, and copy it otherwise: what two tasks can see
  // never changes.
  // Memory of its own, since an array inside a class would be checked for overlapping access at every step.
  private let slots: UnsafeMutablePointer<UInt64>
  private let mask: Int

  /// Room for `count` positions at no more than half load.
  init(capacity count: Int) {
    var size = 4
    while size < count * 2 { size *= 2 }
    slots = .allocate(capacity: size)
    slots.initialize(repeating: 0, count: size)
    mask = size - 1
  }

  private init(copying other: HashIndex) {
    mask = other.mask
    slots = .allocate(capacity: other.mask + 1)
    slots.initialize(from: other.slots, count: other.mask + 1)
  }

  deinit { slots.deallocate() }

  func copy() -> HashIndex { HashIndex(copying: self) }

  /// How many positions fit before the owner must build a larger table.
  var capacity: Int { (mask + 1) / 2 }

  /// The position whose value matches, for a value with this hash.
  @inline(__always)
  func find(hash: Int, matches: (Int) -> Bool) -> Int? {
    let mark = UInt64(bitPattern: Int64(hash))
    var slot = hash & mask
    while true {
      let entry = slots[slot]
      if entry == 0 { return nil }
      if (entry ^ mark) >> 32 == 0 {
        let position = Int(UInt32(truncatingIfNeeded: entry)) &- 1
        if matches(position) { return position }
      }
      slot = (slot &+ 1) & mask
    }
  }

  /// Adds a position that `find` does not find.
  @inline(__always)
  func insert(hash: Int, position: Int) {
    var slot = hash & mask
    while slots[slot] != 0 { slot = (slot &+ 1) & mask }
    let mark = UInt64(bitPattern: Int64(hash)) & 0xFFFF_FFFF_0000_0000
    slots[slot] = mark | UInt64(UInt32(truncatingIfNeeded: position &+ 1))
  }
}

extension TransitValue {
  /// A hash for tables of this process: equal values have equal ones. Texts, the usual keys, take a quicker way.
  @inline(__always)
  var tableHash: Int {
    switch self {
    case .string(let text): Self.tableHash(text, .string)
    case .keyword(let keyword): Self.tableHash(keyword.text, .keyword)
    default: hashValue
    }
  }

  @inline(__always)
  private static func tableHash(_ text: String, _ kind: TextKind) -> Int {
    let hash = text.utf8.withContiguousStorageIfAvailable { bytes in
      bytes.baseAddress.map { TextHash.hash($0, bytes.count, kind, seed: TextHash.seed) } ?? 0
    }
    return hash.map { Int(truncatingIfNeeded: $0) } ?? tableHashOfCopy(text, kind)
  }

  private static func tableHashOfCopy(_ text: String, _ kind: TextKind) -> Int {
    var copy = text
    copy.makeContiguousUTF8()
    return tableHash(copy, kind)
  }
}
