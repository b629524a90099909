internal import AtomsyncCore

/// A device's disk, which its atoms share: what is durable, and what is on its way there, in order.
///
/// A crash keeps what is durable and any prefix of the rest: a process may die before a commit, in the middle of a
/// group, or after the commit and before it is told.
struct SimulatedDisk {
  private(set) var durable: OrderedBytes
  private var waiting: [(replica: Int, ticket: Int64, batch: StorageBatch)] = []
  /// While full, nothing becomes durable.
  var isFull = false

  init(_ durable: OrderedBytes = OrderedBytes()) { self.durable = durable }

  mutating func enqueue(_ batch: StorageBatch, _ ticket: Int64, of replica: Int) {
    waiting.append((replica, ticket, batch))
  }

  /// Makes all that waits durable, unless the disk is full.
  ///
  /// - Returns: the replicas that had something waiting, each with its last ticket.
  mutating func flush() -> [(replica: Int, ticket: Int64)] {
    guard !isFull else { return [] }
    var last: [Int: Int64] = [:]
    for entry in waiting { last[entry.replica] = entry.ticket }
    keep(waiting.count)
    waiting = []
    return last.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// A commit that fails after a part of it, or after all of it: nobody is told, and it is tried again, as one.
  mutating func fail(_ random: inout SeededRandom) {
    keep(Int.random(in: 0...waiting.count, using: &random))
    let batch = StorageBatch.merging(waiting.map(\.batch))
    for index in waiting.indices {
      waiting[index].batch = index == waiting.indices.last ? batch : StorageBatch()
    }
  }

  mutating func crash(_ random: inout SeededRandom) {
    keep(isFull ? 0 : Int.random(in: 0...waiting.count, using: &random))
    waiting = []
    isFull = false
  }

  private mutating func keep(_ count: Int) {
    for entry in waiting.prefix(count) { _ = durable.apply(entry.batch) }
  }
}
