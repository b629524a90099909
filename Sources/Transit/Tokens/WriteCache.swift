/// The texts that a writer has sent and may name by a code.
///
/// An open-addressing table of slots. The hash covers every byte and is seeded for each process, so that input chosen
/// to collide costs no more than other input.
struct WriteCache: ~Copyable {
  private struct Slot {
    let hash: UInt64
    let offset: Int
    let count: Int
    let kind: TextKind
  }

  private var slots: [Slot] = []
  private var arena: [UInt8] = []
  /// Slot number + 1, zero for none.
  private var table: [UInt16] = []
  private var mask = 0
  private let seed = TextHash.seed

  /// Forgets everything, for the next top-level value.
  mutating func reset() {
    guard !slots.isEmpty else { return }
    slots.removeAll(keepingCapacity: true)
    arena.removeAll(keepingCapacity: true)
    for index in table.indices { table[index] = 0 }
  }

  /// The slot of a text that was sent before; nil if it was not, and then it is remembered from now on.
  @inline(__always)
  mutating func slot(of body: UnsafePointer<UInt8>, _ count: Int, _ kind: TextKind) -> Int? {
    if slots.count &* 2 >= table.count { grow() }
    let hash = TextHash.hash(body, count, kind, seed: seed)
    var position = Int(truncatingIfNeeded: hash) & mask
    while true {
      let entry = Int(table[position])
      if entry == 0 { break }
      let slot = slots[entry &- 1]
      if slot.hash == hash, slot.count == count, slot.kind == kind {
        let same = arena.withUnsafeBufferPointer { bytes in
          bytes.baseAddress.map { ExactText.sameBytes($0 + slot.offset, body, count) } ?? (count == 0)
        }
        if same { return entry &- 1 }
      }
      position = (position &+ 1) & mask
    }
    insert(body, count, kind, hash)
    return nil
  }

  private mutating func insert(_ body: UnsafePointer<UInt8>, _ count: Int, _ kind: TextKind, _ hash: UInt64) {
    if slots.count == ReadCache.capacity { reset() }
    var position = Int(truncatingIfNeeded: hash) & mask
    while table[position] != 0 { position = (position &+ 1) & mask }
    slots.append(Slot(hash: hash, offset: arena.count, count: count, kind: kind))
    arena.append(contentsOf: UnsafeBufferPointer(start: body, count: count))
    table[position] = UInt16(truncatingIfNeeded: slots.count)
  }

  private mutating func grow() {
    let size = max(64, table.count * 4)
    guard size <= 4096 else { return }
    if slots.isEmpty {
      // Enough for a small message.
      slots.reserveCapacity(16)
      arena.reserveCapacity(128)
    }
    table = Array(repeating: 0, count: size)
    mask = size - 1
    for (index, slot) in slots.enumerated() {
      var position = Int(truncatingIfNeeded: slot.hash) & mask
      while table[position] != 0 { position = (position &+ 1) & mask }
      table[position] = UInt16(index + 1)
    }
  }
}
