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
  /// How often each was sealed anew: two devices that do not agree on which key is the newer do not take turns for ever.
  private var turns: [String: Int] = [:]
  private static let mostTurns = 3
  /// How many are looked at, at most, for what can be sealed now.
  private static let looks = 1000
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

  var outdatedCount: Int { isOutdated.count }

  /// Leaves one as it is.
  mutating func leave(_ id: String) { turns[id] = Self.mostTurns }

  /// The next of them to be sealed anew. Each has another turn after the others.
  ///
  /// - Parameter canBe: whether it can be now.
  mutating func takeOutdated(_ most: Int, where canBe: (String) -> Bool) -> [String] {
    var taken: [String] = []
    for _ in 0..<min(queue.count, Self.looks) where taken.count < most {
      guard let id = queue.popFirst() else { break }
      isQueued.remove(id)
      guard isOutdated.contains(id), turns[id, default: 0] < Self.mostTurns else { continue }
      enqueue(id)
      guard canBe(id) else { continue }
      turns[id, default: 0] += 1
      taken.append(id)
    }
    return taken
  }
}
