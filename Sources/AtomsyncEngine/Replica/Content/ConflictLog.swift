internal import DequeModule

/// The newest conflicts of an atom, as many as a bound on their bytes allows. Older ones are in the store only.
struct ConflictLog: Sendable {
  private struct Entry: Sendable {
    var conflict: Conflict
    var age: Int64
    var bytes: Int
  }

  private var entries: Deque<Entry> = []
  private var bytes = 0
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  /// Oldest first. O(n)
  var all: [Conflict] { entries.map(\.conflict) }

  mutating func append(_ row: ConflictRow) {
    entries.append(Entry(conflict: row.conflict, age: row.age, bytes: row.byteCount))
    bytes += row.byteCount
    while bytes > limit, entries.count > 1 { bytes -= entries.removeFirst().bytes }
  }

  mutating func remove(_ number: Int64) {
    guard let index = entries.lastIndex(where: { $0.conflict.id == number }) else { return }
    bytes -= entries.remove(at: index).bytes
  }

  /// Takes out what was detected before the atom had this age. What is still open is not over.
  mutating func removeAll(before age: Int64) -> [Int64] {
    let old = entries.filter { $0.age < age && !$0.conflict.isOpen }
    guard !old.isEmpty else { return [] }
    bytes -= old.reduce(0) { $0 + $1.bytes }
    entries.removeAll { $0.age < age && !$0.conflict.isOpen }
    return old.map(\.conflict.id)
  }
}
