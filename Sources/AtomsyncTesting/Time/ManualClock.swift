internal import AtomsyncCore
public import AtomsyncEngine

public import struct Foundation.Date

/// A clock that stands still until a test moves it.
///
/// ```swift
/// let clock = ManualClock()
/// var configuration = AtomsyncConfiguration()
/// configuration.follow(clock)
/// …
/// await clock.sleeps(atMost: .seconds(30))  // somebody waits for a retry
/// clock.advance(by: .seconds(30))           // and now it is made
/// ```
///
/// ## Behavior
/// - ``advance(by:)`` wakes sleepers in the order of their deadlines, those with the same deadline in the order in
///   which they fell asleep, and each of them finds the clock at its own deadline or later.
/// - A sleeper runs on its own task after that: wait for what it does, not for the clock.
public final class ManualClock: Clock {
  /// A moment, as the time since 1970.
  public struct Instant: InstantProtocol {
    /// The time since 1970.
    public var offset: Duration

    /// - Parameter offset: the time since 1970.
    public init(offset: Duration) { self.offset = offset }

    /// The moment that is later by `duration`.
    public func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
    /// How much later `other` is; negative when it is earlier.
    public func duration(to other: Instant) -> Duration { other.offset - offset }
    /// Whether `left` is earlier than `right`.
    public static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
  }

  private struct Sleeper {
    var deadline: Instant
    var continuation: CheckedContinuation<Void, any Error>
  }
  private struct Watcher {
    var atMost: Duration
    var continuation: CheckedContinuation<Void, Never>
  }
  private struct State {
    var now: Instant
    var sleepers: [Int: Sleeper] = [:]
    var watchers: [Watcher] = []
    var next = 0

    func isAsleep(atMost duration: Duration) -> Bool {
      sleepers.values.contains { now.duration(to: $0.deadline) <= duration }
    }

    /// The watchers who see now what they wait for, who are none any more.
    mutating func takeSeeing() -> [Watcher] {
      let seeing = watchers.filter { isAsleep(atMost: $0.atMost) }
      watchers = watchers.filter { !isAsleep(atMost: $0.atMost) }
      return seeing
    }
  }
  private let state: Lock<State>

  /// - Parameter date: where the clock stands. Default: a day in September 2026.
  public init(_ date: Date = Date(timeIntervalSince1970: 1_790_000_000)) {
    state = Lock(State(now: Instant(offset: .milliseconds(date.milliseconds))))
  }

  /// Where the clock stands.
  public var now: Instant { state.withLock { $0.now } }

  /// Where the clock stands, as a date.
  public var date: Date {
    let (seconds, attoseconds) = now.offset.components
    return Date(timeIntervalSince1970: Double(seconds) + Double(attoseconds) / 1e18)
  }

  /// No sleep ends before its time, and none later than the `advance(by:)` that reaches it.
  public var minimumResolution: Duration { .zero }

  /// How many tasks sleep.
  public var sleeperCount: Int { state.withLock { $0.sleepers.count } }

  /// Moves the clock, and wakes everybody whose time has come.
  public func advance(by duration: Duration) {
    let target = now.advanced(by: duration)
    while let sleeper = wakeFirst(until: target) { sleeper.resume() }
    for watcher in state.withLock({ $0.takeSeeing() }) { watcher.continuation.resume() }
  }

  /// Returns once a task sleeps that `advance(by: duration)` would wake; at once if one does.
  public func sleeps(atMost duration: Duration) async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.isAsleep(atMost: duration) { return true }
        state.watchers.append(Watcher(atMost: duration, continuation: continuation))
        return false
      }
      if isThere { continuation.resume() }
    }
  }

  /// Sleeps until the clock has been moved to `deadline`.
  ///
  /// - Throws: `CancellationError` when the task is cancelled first.
  public func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
    try Task.checkCancellation()
    let number = state.withLock { state in
      state.next += 1
      return state.next
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        switch fallAsleep(number, until: deadline, continuation) {
        case .asleep(let watchers): for watcher in watchers { watcher.continuation.resume() }
        case .over: continuation.resume()
        case .cancelled: continuation.resume(throwing: CancellationError())
        }
      }
    } onCancel: {
      state.withLock { $0.sleepers.removeValue(forKey: number) }?.continuation.resume(
        throwing: CancellationError())
    }
  }

  private enum Rest {
    case asleep(seenBy: [Watcher])
    case over
    case cancelled
  }

  private func fallAsleep(
    _ number: Int, until deadline: Instant, _ continuation: CheckedContinuation<Void, any Error>
  ) -> Rest {
    state.withLock { state in
      if Task.isCancelled { return .cancelled }
      guard deadline > state.now else { return .over }
      state.sleepers[number] = Sleeper(deadline: deadline, continuation: continuation)
      return .asleep(seenBy: state.takeSeeing())
    }
  }

  private func wakeFirst(until target: Instant) -> CheckedContinuation<Void, any Error>? {
    state.withLock { state in
      let first = state.sleepers.filter { $0.value.deadline <= target }
        .min { ($0.value.deadline, $0.key) < ($1.value.deadline, $1.key) }
      guard let first else {
        state.now = max(state.now, target)
        return nil
      }
      state.now = max(state.now, first.value.deadline)
      state.sleepers[first.key] = nil
      return first.value.continuation
    }
  }
}

extension AtomsyncConfiguration {
  /// Takes the time from `clock`: for waiting, and for dates.
  public mutating func follow(_ clock: ManualClock) {
    self.clock = clock
    now = { clock.date }
  }
}
