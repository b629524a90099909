internal import AtomsyncCore

/// A bucket for each key, which fills at a steady rate: so many at once, then so many a second.
///
/// It remembers a bounded number of keys, and forgets those first that are full again.
final class RateLimiter: Sendable {
  private struct Bucket {
    var level: Double
    var updated: ContinuousClock.Instant
  }

  private let buckets = Lock([String: Bucket]())
  private let capacity: Double
  private let perSecond: Double
  static let maximumKeys = 20_000

  init(capacity: Int, perSecond: Double) {
    self.capacity = Double(capacity)
    self.perSecond = perSecond
  }

  /// Takes one; false when none is left.
  func take(_ key: String, now: ContinuousClock.Instant = .now) -> Bool {
    buckets.withLock { buckets in
      let level = level(buckets[key], now)
      guard level >= 1 else { return false }
      if buckets.count >= Self.maximumKeys && buckets[key] == nil {
        buckets = buckets.filter { self.level($0.value, now) < capacity }
        if buckets.count >= Self.maximumKeys { return false }
      }
      buckets[key] = Bucket(level: level - 1, updated: now)
      return true
    }
  }

  /// Whether one is left.
  func has(_ key: String, now: ContinuousClock.Instant = .now) -> Bool {
    buckets.withLock { level($0[key], now) >= 1 }
  }

  private func level(_ bucket: Bucket?, _ now: ContinuousClock.Instant) -> Double {
    guard let bucket else { return capacity }
    return min(capacity, bucket.level + perSecond * ((now - bucket.updated) / .seconds(1)))
  }
}
