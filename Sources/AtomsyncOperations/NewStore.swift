internal import AtomsyncCore
internal import AtomsyncEngine

/// A server's store that is being written as a whole. Its header comes last: before, no program takes it for a store.
struct NewStore: ~Copyable {
  private let storage: any Storage
  private var header: StorageEntry?

  /// - Throws: ``OperationError`` with `exists`; `StorageError`.
  static func open(_ provider: StorageProvider) async throws -> NewStore {
    let storage = try await provider.open(.exclusive)
    do {
      guard try await storage.scan(StorageScan(.all, limit: 1)).entries.isEmpty else {
        throw OperationError(
          .exists, "There is something in \(provider) already. Give the path of a new store.")
      }
    } catch {
      await storage.close()
      throw error
    }
    return NewStore(storage: storage)
  }

  mutating func write(_ entries: [StorageEntry]) async throws {
    var batch = StorageBatch()
    for entry in entries {
      if entry.key == StoreHeader.rowKey {
        header = entry
      } else {
        batch.writes.append(.put(entry.key, entry.value))
      }
    }
    if !batch.writes.isEmpty { _ = try await storage.commit(batch) }
  }

  /// Makes it a store, and closes it.
  func finish() async throws {
    if let header { _ = try await storage.commit(StorageBatch(writes: [.put(header.key, header.value)])) }
    await storage.close()
  }

  func close() async { await storage.close() }
}
