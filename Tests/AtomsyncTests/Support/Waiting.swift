import Atomsync
import Testing

/// The sequence ended before what was waited for had happened.
struct EndedTooEarly: Error {}

extension SyncedAtom {
  /// Waits for a status that is as it should be.
  @discardableResult
  func status(_ condition: @Sendable (SyncStatus) -> Bool) async throws -> SyncStatus {
    for await status in statuses where condition(status) { return status }
    throw EndedTooEarly()
  }

  /// Waits for a value that is as it should be.
  @discardableResult
  func value(_ condition: @Sendable (Documents<Element>) -> Bool) async throws -> Documents<Element> {
    for await value in values where condition(value) { return value }
    throw EndedTooEarly()
  }

  /// Waits until everything is durable, nothing is pending, and changes of others arrive as they happen.
  func settled() async throws {
    try await status { $0.connection == .live && $0.pendingCount == 0 && $0.unsavedCount == 0 }
  }
}
