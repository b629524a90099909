internal import AtomsyncCore

/// A replica's disk: what is durable, and what is on its way there, in order.
///
/// A crash keeps what is durable and any prefix of the rest: a process may die before a commit, in the middle of a
/// group, or after the commit and before it is told.
struct SimulatedDisk {
  private(set) var durable = OrderedBytes()
  private var waiting: [(ticket: Int64, batch: StorageBatch)] = []
  /// While full, nothing becomes durable.
  var isFull = false

  mutating func enqueue(_ batch: StorageBatch, _ ticket: Int64) { waiting.append((ticket, batch)) }

  /// Makes all that waits durable; the last ticket, or `nil` when there was nothing or the disk is full.
  mutating func flush() -> Int64? {
    guard !isFull, let last = waiting.last?.ticket else { return nil }
    keep(waiting.count)
    return last
  }

  mutating func crash(_ random: inout SeededRandom) {
    keep(isFull ? 0 : Int.random(in: 0...waiting.count, using: &random))
    waiting = []
    isFull = false
  }

  private mutating func keep(_ count: Int) {
    for (_, batch) in waiting.prefix(count) { _ = durable.apply(batch) }
    waiting.removeFirst(count)
  }
}
