internal import AtomsyncCore
public import AtomsyncEngine

/// A clock that stands still until a test moves it.
///
/// ```swift
/// let clock = ManualClock()
/// var configuration = AtomsyncConfiguration()
/// configuration.time = clock.source
/// …
/// await clock.sleeps(atMost: .seconds(30))  // somebody waits for a retry
/// clock.advance(by: .seconds(30))           // and now it is made
/// ```
///
/// ## Behavior
/// - ``advance(by:)`` wakes sleepers in the order of their deadlines, those with the same deadline in the order in
///   which they fell asleep, and each of them finds the clock at its own deadline or later.
/// - A sleeper runs on its own task after that: wait for what it does, not for the clock.
public final class ManualClock: Sendable {
  private struct Sleeper {
    var deadline: Int64
    var continuation: CheckedContinuation<Void, any Error>
  }
  private struct Watcher {
    var atMost: Int64
    var continuation: CheckedContinuation<Void, Never>
  }
  private struct State {
    var now: Int64
    var sleepers: [Int: Sleeper] = [:]
    var watchers: [Watcher] = []
    var next = 0

    func isAsleep(atMost milliseconds: Int64) -> Bool {
      sleepers.values.contains { $0.deadline - now <= milliseconds }
    }
  }
  private let state: Lock<State>

  /// - Parameter now: where the clock stands, in milliseconds since 1970.
  public init(now: Int64 = 1_790_000_000_000) { state = Lock(State(now: now)) }

  /// Milliseconds since 1970.
  public var now: Int64 { state.withLock { $0.now } }

  /// How many tasks sleep.
  public var sleeperCount: Int { state.withLock { $0.sleepers.count } }

  /// This clock, for a configuration.
  public var source: TimeSource {
    TimeSource(now: { self.now }, sleep: { try await self.sleep(for: $0) })
  }

  /// Moves the clock, and wakes everybody whose time has come.
  public func advance(by duration: Duration) {
    let target = state.withLock { $0.now + Self.milliseconds(duration) }
    while let sleeper = wakeFirst(until: target) { sleeper.resume() }
  }

  /// Returns once a task sleeps that `advance(by: duration)` would wake; at once if one does.
  public func sleeps(atMost duration: Duration) async {
    let milliseconds = Self.milliseconds(duration)
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.isAsleep(atMost: milliseconds) { return true }
        state.watchers.append(Watcher(atMost: milliseconds, continuation: continuation))
        return false
      }
      if isThere { continuation.resume() }
    }
  }

  /// Sleeps until the clock has been moved that far; throws `CancellationError` when the task is cancelled first.
  public func sleep(for duration: Duration) async throws {
    try Task.checkCancellation()
    let number = state.withLock { state in
      state.next += 1
      return state.next
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        switch fallAsleep(number, Self.milliseconds(duration), continuation) {
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
    _ number: Int, _ duration: Int64, _ continuation: CheckedContinuation<Void, any Error>
  ) -> Rest {
    state.withLock { state in
      if Task.isCancelled { return .cancelled }
      guard duration > 0 else { return .over }
      state.sleepers[number] = Sleeper(deadline: state.now + duration, continuation: continuation)
      let (seen, blind) = state.watchers.reduce(into: ([Watcher](), [Watcher]())) { parts, watcher in
        if state.isAsleep(atMost: watcher.atMost) { parts.0.append(watcher) } else { parts.1.append(watcher) }
      }
      state.watchers = blind
      return .asleep(seenBy: seen)
    }
  }

  private func wakeFirst(until target: Int64) -> CheckedContinuation<Void, any Error>? {
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

  private static func milliseconds(_ duration: Duration) -> Int64 {
    let (seconds, attoseconds) = duration.components
    return seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
  }
}
