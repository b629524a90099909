/// What is to happen, in order of virtual time: the simulator's only scheduler.
struct Timeline<Event> {
  private struct Item {
    var time: Int64
    var number: Int
    var event: Event

    func precedes(_ other: Item) -> Bool { (time, number) < (other.time, other.number) }
  }

  private var heap: [Item] = []
  private var count = 0
  private(set) var now: Int64 = 0

  var isEmpty: Bool { heap.isEmpty }

  mutating func schedule(_ event: Event, after delay: Int64) {
    count += 1
    heap.append(Item(time: now + delay, number: count, event: event))
    var child = heap.count - 1
    while child > 0, heap[child].precedes(heap[(child - 1) / 2]) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  /// Nothing is to happen any more.
  mutating func removeAll() { heap = [] }

  mutating func next() -> Event? {
    guard let first = heap.first else { return nil }
    now = first.time
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < heap.count && heap[child].precedes(heap[least]) {
        least = child
      }
      if least == parent { return first.event }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}
