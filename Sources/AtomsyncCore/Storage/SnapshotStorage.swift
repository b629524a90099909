internal import Dispatch

/// A storage that can be read as it is at one moment, however long that takes: for dumps and statistics.
public protocol SnapshotStorage: Storage {
  /// Runs `body` with a read that answers every query from one and the same snapshot, on a thread that may be blocked.
  ///
  /// ## Behavior
  /// The store stays in use meanwhile. What is removed or replaced in it keeps its space until `body` returns.
  ///
  /// - Throws: ``StorageError``; what `body` throws.
  func withSnapshot<Result: Sendable>(
    _ body: @escaping @Sendable (_ read: SnapshotRead) throws -> Result
  ) async throws -> Result
}

/// Answers queries from one snapshot.
public typealias SnapshotRead = (StorageQuery) throws -> StorageSnapshot

extension MemoryStorage: SnapshotStorage {
  /// Runs `body` with a copy of the content, which is taken in O(1).
  public func withSnapshot<Result: Sendable>(
    _ body: @escaping @Sendable (_ read: SnapshotRead) throws -> Result
  ) async throws -> Result {
    let map = try copy()
    return try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async { continuation.resume(with: Swift.Result { try body { map.read($0) } }) }
    }
  }
}
