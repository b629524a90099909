/// An open-addressing table from hashes to positions in an array, for maps and sets too big to search in a row.
///
/// It knows positions only; the owner compares. Slots hold position + 1, zero is free. A copy on write class inside a
/// value type: owners check `isKnownUniquelyReferenced` before they change it.
final class HashIndex: @unchecked Sendable {
  // Written only by the owner of the only reference; shared tables are read only.
  private var slots: [UInt32]
  private let mask: Int

  /// Room for `count` positions at no more than half load.
  init(capacity count: Int) {
    var size = 32
    while size < count * 2 { size *= 2 }
    slots = Array(repeating: 0, count: size)
    mask = size - 1
  }

  private init(slots: [UInt32], mask: Int) {
    self.slots = slots
    self.mask = mask
  }

  func copy() -> HashIndex { HashIndex(slots: slots, mask: mask) }

  /// How many positions fit before the owner must build a larger table.
  var capacity: Int { slots.count / 2 }

  /// The position whose value matches, for a value with this hash.
  @inline(__always)
  func find(hash: Int, matches: (Int) -> Bool) -> Int? {
    var slot = hash & mask
    while true {
      let entry = slots[slot]
      if entry == 0 { return nil }
      let position = Int(entry) &- 1
      if matches(position) { return position }
      slot = (slot &+ 1) & mask
    }
  }

  /// Adds a position that `find` does not find.
  @inline(__always)
  func insert(hash: Int, position: Int) {
    var slot = hash & mask
    while slots[slot] != 0 { slot = (slot &+ 1) & mask }
    slots[slot] = UInt32(truncatingIfNeeded: position &+ 1)
  }
}
