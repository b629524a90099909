internal import DequeModule

/// Which documents of an encrypted atom are not as they should be.
struct SealIndex: Sendable {
  /// Those that are there and cannot be shown.
  private(set) var unopened: Set<String> = []
  /// Those that are sealed by an older key, or not at all.
  private var isOutdated: Set<String> = []
  /// The same in the order in which they are sealed anew. May name some that are not.
  private var queue: Deque<String> = []
  private var isQueued: Set<String> = []
  /// Whether outdated ones are sealed anew: not where the server takes no writes of ours.
  var isResealing = true

  mutating func note(_ id: String, isUnopened: Bool, isOutdated: Bool) {
    if isUnopened { unopened.insert(id) } else { unopened.remove(id) }
    if !isOutdated {
      self.isOutdated.remove(id)
    } else if self.isOutdated.insert(id).inserted {
      enqueue(id)
    }
  }

  private mutating func enqueue(_ id: String) {
    if isQueued.insert(id).inserted { queue.append(id) }
  }

  /// Those that are sealed by an older key, or not at all, in order. O(n log n)
  var outdated: [String] { isOutdated.sorted() }

  var hasOutdated: Bool { !isOutdated.isEmpty }

  /// The next of them to be sealed anew. Each has another turn after the others.
  ///
  /// - Parameter canBe: whether it can be now.
  mutating func takeOutdated(_ most: Int, where canBe: (String) -> Bool) -> [String] {
    var taken: [String] = []
    for _ in 0..<queue.count where taken.count < most {
      guard let id = queue.popFirst() else { break }
      isQueued.remove(id)
      guard isOutdated.contains(id) else { continue }
      enqueue(id)
      if canBe(id) { taken.append(id) }
    }
    return taken
  }
}
