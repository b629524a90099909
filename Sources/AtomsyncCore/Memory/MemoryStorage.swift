/// A storage that lives as long as its object: for tests, previews and servers that may forget.
///
/// Ordered, like every storage, so that what works on it works on the others.
public final class MemoryStorage: Storage {
  private struct State {
    var map = OrderedBytes()
    var isClosed = false
  }
  private let state: Lock<State>

  public init() { self.state = Lock(State()) }

  public var capabilities: StorageCapabilities {
    StorageCapabilities(durability: .none, isShared: false, maximumKeyLength: .max)
  }

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

  public func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] {
    try state.withLock { state in
      if state.isClosed { throw StorageError.closed }
      return batches.map { state.map.apply($0) }
    }
  }

  public func close() async { state.withLock { $0.isClosed = true } }
}

extension StorageProvider {
  /// In memory, new and empty at each opening.
  public static var memory: StorageProvider { StorageProvider("memory") { _ in MemoryStorage() } }
}
