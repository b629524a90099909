/// A storage that lives as long as its object: for tests, previews and servers that may forget.
///
/// Ordered, like every storage, so that what works on it works on the others.
public final class MemoryStorage: Storage {
  private struct State {
    var map = OrderedBytes()
    var isClosed = false
  }
  private let state: Lock<State>

  /// An empty storage.
  public init() { self.state = Lock(State()) }

  /// No durability, one process, keys of any length.
  public var capabilities: StorageCapabilities {
    StorageCapabilities(durability: .none, isShared: false, maximumKeyLength: .max)
  }

  /// The values and scans, from one snapshot.
  public func read(_ query: StorageQuery) async throws -> StorageSnapshot {
    try copy().read(query)
  }

  /// The whole store as it is now. O(1)
  func copy() throws -> OrderedBytes {
    try state.withLock { state in
      if state.isClosed { throw StorageError.closed }
      return state.map
    }
  }

  /// Applies the batches in one step: no read sees some of them without the others.
  public func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] {
    try state.withLock { state in
      if state.isClosed { throw StorageError.closed }
      return batches.map { state.map.apply($0) }
    }
  }

  /// Has later calls throw ``StorageError/closed``. The content stays in memory until the object goes.
  public func close() async { state.withLock { $0.isClosed = true } }
}

extension StorageProvider {
  /// In memory, new and empty at each opening.
  public static var memory: StorageProvider { StorageProvider("memory") { _ in MemoryStorage() } }
}
