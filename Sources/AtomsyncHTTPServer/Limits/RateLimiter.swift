internal import AtomsyncCore

/// A bucket for each key, which fills at a steady rate: so many at once, then so many a second.
///
/// It remembers a bounded number of keys. When there are more it forgets those that are full again, once a second at most,
/// and takes nothing of new ones meanwhile.
final class RateLimiter: Sendable {
  private struct Bucket {
    var level: Double
    var updated: MonotonicTime
  }

  private struct State {
    var buckets: [String: Bucket] = [:]
    var swept: MonotonicTime?
  }

  private let state = Lock(State())
  private let capacity: Double
  private let perSecond: Double
  static let maximumKeys = 20_000

  init(capacity: Int, perSecond: Double) {
    self.capacity = Double(capacity)
    self.perSecond = perSecond
  }

  /// Takes one; false when none is left.
  func take(_ key: String, now: MonotonicTime = .now) -> Bool {
    state.withLock { state in
      let level = level(state.buckets[key], now)
      guard level >= 1 else { return false }
      if state.buckets.count >= Self.maximumKeys && state.buckets[key] == nil {
        if let swept = state.swept, now - swept < .seconds(1) { return false }
        state.swept = now
        state.buckets = state.buckets.filter { self.level($0.value, now) < capacity }
        if state.buckets.count >= Self.maximumKeys { return false }
      }
      state.buckets[key] = Bucket(level: level - 1, updated: now)
      return true
    }
  }

  /// Whether one is left.
  func has(_ key: String, now: MonotonicTime = .now) -> Bool {
    state.withLock { level($0.buckets[key], now) >= 1 }
  }

  private func level(_ bucket: Bucket?, _ now: MonotonicTime) -> Double {
    guard let bucket else { return capacity }
    return min(capacity, bucket.level + perSecond * ((now - bucket.updated) / .seconds(1)))
  }
}
