/// What a new storage begins with.
enum StorageTemplate {
  static func source(_ name: String) -> String {
    """
    import AtomsyncCore
    import Synchronization

    /// A storage of your own. It begins as one in memory: put what you store into in the place of `records`.
    ///
    /// The promises are in the documentation of `Storage`; the test tries each of them.
    public final class \(name)Storage: Storage {
      private struct State {
        var records = OrderedBytes()
        var isClosed = false
      }
      private let state = Mutex(State())

      public init() {}

      /// Claim more once you keep it: `durability` is what the tests hold you to.
      public var capabilities: StorageCapabilities {
        StorageCapabilities(durability: .none, isShared: false, maximumKeyLength: .max)
      }

      /// Answers everything from one snapshot.
      public func read(_ query: StorageQuery) async throws -> StorageSnapshot {
        try state.withLock { state in
          if state.isClosed { throw StorageError.closed }
          return state.records.read(query)
        }
      }

      /// Applies batches in order, each all or nothing, and returns once they are durable.
      public func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] {
        try state.withLock { state in
          if state.isClosed { throw StorageError.closed }
          return batches.map { state.records.apply($0) }
        }
      }

      public func close() async { state.withLock { $0.isClosed = true } }
    }

    extension StorageProvider {
      /// For a configuration: `AtomsyncConfiguration(storage: .\(lowercased(name)))`.
      public static var \(lowercased(name)): StorageProvider {
        StorageProvider("\(name)") { access in \(name)Storage() }
      }
    }

    """
  }

  static func test(_ name: String) -> String {
    """
    import AtomsyncCore
    import AtomsyncTesting
    import Testing
    import \(name)Storage

    @Suite struct \(name)StorageTests {
      /// Each promise of a storage, tried on a new store. The provider has to open the same store each time it is asked
      /// within one case, unless nothing outlives the storage.
      @Test(arguments: StorageConformanceCase.all)
      func conforms(_ promise: StorageConformanceCase) async throws {
        try await promise.run(.\(lowercased(name)))
      }
    }

    """
  }

  static func declaration(_ name: String, _ dependencies: Dependencies) -> String {
    """

    // Made by `swift package atomsync-new-storage \(name)`.
    package.products.append(.library(name: "\(name)Storage", targets: ["\(name)Storage"]))
    package.targets += [
      .target(name: "\(name)Storage", dependencies: [\(dependencies.product("AtomsyncCore"))]),
      .testTarget(
        name: "\(name)StorageTests",
        dependencies: ["\(name)Storage", \(dependencies.product("AtomsyncCore")), \(dependencies.product("AtomsyncTesting"))]),
    ]

    """
  }

  private static func lowercased(_ name: String) -> String {
    let capitals = name.prefix { $0.isUppercase }
    // LevelDB is levelDB, and SQL is sql.
    let count = capitals.count == name.count ? name.count : max(1, capitals.count - 1)
    return name.prefix(count).lowercased() + name.dropFirst(count)
  }
}
