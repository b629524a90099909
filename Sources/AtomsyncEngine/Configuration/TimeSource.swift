internal import Foundation

/// What time it is, and how to wait: the one place where the engine meets a clock.
public struct TimeSource: Sendable {
  /// Milliseconds since 1970.
  public var now: @Sendable () -> Int64
  /// Returns after the duration; throws `CancellationError` when the task is cancelled first.
  public var sleep: @Sendable (Duration) async throws -> Void

  public init(
    now: @escaping @Sendable () -> Int64, sleep: @escaping @Sendable (Duration) async throws -> Void
  ) {
    self.now = now
    self.sleep = sleep
  }

  /// The machine's clock.
  public static let system = TimeSource(
    now: { Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)) },
    sleep: { try await ContinuousClock().sleep(for: $0) })
}
