/// A moment of this process, as `ContinuousClock` counts them.
///
/// The clock's own `Instant` has a size that is known only at run time, and so has each type with one in it: its values are copied by calls
/// into the runtime, and async functions take memory for each.
package struct MonotonicTime: Sendable {
  /// Since the first one that was asked for.
  private let elapsed: Duration

  private static let origin = ContinuousClock.now

  package static var now: MonotonicTime { MonotonicTime(elapsed: ContinuousClock.now - origin) }

  package static func - (later: MonotonicTime, earlier: MonotonicTime) -> Duration {
    later.elapsed - earlier.elapsed
  }

  package static func + (time: MonotonicTime, duration: Duration) -> MonotonicTime {
    MonotonicTime(elapsed: time.elapsed + duration)
  }
}
