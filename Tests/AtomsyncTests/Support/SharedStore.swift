import Atomsync
import AtomsyncCore
import Foundation
import Testing
import Transit

/// A store in memory that outlives those who open it, as a file does: several authorities can have it open, and it can
/// be put back to an earlier state while nobody has.
final class SharedStore: Sendable {
  private let bytes = Lock(OrderedBytes())

  /// What is in it.
  var contents: OrderedBytes {
    get { bytes.withLock { $0 } }
    set { bytes.withLock { $0 = newValue } }
  }

  var provider: StorageProvider { provider { $0 } }

  /// - Parameter wrap: puts something before the store, such as faults.
  func provider(_ wrap: @escaping @Sendable (any Storage) -> any Storage) -> StorageProvider {
    StorageProvider("shared memory") { _ in wrap(Handle(store: self)) }
  }

  /// An authority on the store.
  func authority(
    _ wrap: @escaping @Sendable (any Storage) -> any Storage = { $0 },
    _ adjust: (inout AtomsyncConfiguration) -> Void = { _ in }
  ) async throws -> Authority {
    var configuration = Scene.configuration()
    configuration.storage = provider(wrap)
    adjust(&configuration)
    return try await Authority.open(configuration)
  }

  private struct Handle: Storage {
    let store: SharedStore
    private let isClosed = Lock(false)

    init(store: SharedStore) { self.store = store }

    var capabilities: StorageCapabilities {
      StorageCapabilities(durability: .process, isShared: true, maximumKeyLength: .max)
    }

    func read(_ query: StorageQuery) async throws -> StorageSnapshot {
      if isClosed.withLock({ $0 }) { throw StorageError.closed }
      return store.contents.read(query)
    }

    func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] {
      if isClosed.withLock({ $0 }) { throw StorageError.closed }
      return store.bytes.withLock { bytes in batches.map { bytes.apply($0) } }
    }

    func close() async { isClosed.withLock { $0 = true } }
  }
}

/// Messages of a client that is no replica.
struct Client {
  let authority: Authority
  var group = "g"

  @discardableResult
  func push(
    _ edits: [Edit], _ ticket: PushTicket? = nil, isAtomic: Bool = false, cursor: Cursor? = nil,
    seen: Cursor? = nil
  ) async throws -> PushAnswer {
    try await authority.push(
      PushRequest(
        group: group, ticket: ticket, isAtomic: isAtomic, edits: edits, cursor: cursor, seen: seen))
  }

  func pull(
    _ start: PullRequest.Start = .beginning, seen: Cursor? = nil, limit: Int? = nil
  ) async throws -> PullPage {
    try await authority.pull(PullRequest(group: group, start: start, seen: seen, limit: limit))
  }
}

extension Authority {
  /// Purges as often as it takes: after a jump of the clock the first time only looks at it.
  func purgeAfterAJump() async throws {
    for _ in 0..<2 { try await purge() }
  }
}

extension Edit {
  static func put(_ id: String, _ value: TransitValue, at version: Int64 = 0) throws -> Edit {
    Edit(id: id, version: version, content: .value(Payload(bytes: try value.transit(.msgpack))))
  }

  static func delete(_ id: String, at version: Int64) -> Edit {
    Edit(id: id, version: version, content: .deleted)
  }
}

extension Document {
  /// Its value; `nil` when it is deleted.
  func value() throws -> TransitValue? {
    try content.payload.map { try TransitValue(transit: $0.bytes, format: .msgpack) }
  }
}
