internal import AtomsyncCore
internal import CLMDB

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// Commits. Lives on the environment's write queue, because LMDB binds a write transaction to its thread.
final class LMDBWriter {
  private let lease: LMDBLease
  private let skipsMetaSync: Bool
  /// How many transactions were this storage's own.
  private var commits: Int64 = 0

  init(_ lease: LMDBLease, durability: StorageCapabilities.Durability) {
    self.lease = lease
    self.skipsMetaSync = durability != .power
  }

  func commit(_ batches: [StorageBatch]) throws -> [StorageOutcome] {
    for batch in batches { try checkKeys(batch) }
    let environment = lease.environment
    do {
      try environment.skipMetaSync(skipsMetaSync)
      while true {
        do {
          return try attempt(batches)
        } catch let failure as LMDBFailure where failure.code == MDB_MAP_FULL {
          try environment.grow()
        } catch let failure as LMDBFailure where failure.code == MDB_MAP_RESIZED {
          try environment.followMap()
        }
      }
    } catch let failure as LMDBFailure {
      throw failure.error(path: environment.path)
    }
  }

  /// Follows another process that has grown the map, for a reader.
  func followMap() throws {
    do {
      try lease.environment.followMap()
    } catch let failure as LMDBFailure {
      throw failure.error(path: lease.environment.path)
    }
  }

  /// How many transactions were not this storage's own.
  func foreignCommits() throws -> Int64 {
    var info = MDB_envinfo()
    let code = mdb_env_info(lease.environment.handle, &info)
    if code != MDB_SUCCESS { throw LMDBFailure(code: code).error(path: lease.environment.path) }
    return Int64(info.me_last_txnid) - commits
  }

  private func attempt(_ batches: [StorageBatch]) throws -> [StorageOutcome] {
    var begun: OpaquePointer?
    try LMDBFailure.check(mdb_txn_begin(lease.environment.handle, nil, 0, &begun))
    guard let transaction = begun else { throw LMDBFailure(code: ENOMEM) }
    do {
      let outcomes = try batches.map { try apply($0, transaction) }
      let identity = mdb_txn_id(transaction)
      begun = nil  // gone now, whether or not it succeeds
      try LMDBFailure.check(mdb_txn_commit(transaction))
      count(identity)
      return outcomes
    } catch {
      if begun != nil { mdb_txn_abort(transaction) }
      throw error
    }
  }

  /// A transaction without any change takes no number.
  private func count(_ transaction: Int) {
    var info = MDB_envinfo()
    if mdb_env_info(lease.environment.handle, &info) == MDB_SUCCESS, info.me_last_txnid >= transaction {
      commits += 1
    }
  }

  private func apply(_ batch: StorageBatch, _ transaction: OpaquePointer) throws -> StorageOutcome {
    let database = lease.environment.database
    for precondition in batch.preconditions {
      let key = precondition.key
      let holds =
        switch precondition {
        case .absent: try LMDBBytes.get(transaction, database, key) { _ in true } == nil
        case .equals(_, let expected):
          try LMDBBytes.get(transaction, database, key) { $0.isEqual(to: expected) } ?? false
        }
      if !holds { return .refused(key: key) }
    }
    for write in batch.writes {
      switch write {
      case .put(let key, let value): try LMDBBytes.put(transaction, database, key, value)
      case .delete(let key): try LMDBBytes.delete(transaction, database, key)
      }
    }
    return .committed
  }

  private func checkKeys(_ batch: StorageBatch) throws {
    for case .put(let key, _) in batch.writes where !LMDBBytes.canHold(key) {
      if key.isEmpty {
        throw StorageError(.failed, "LMDB cannot store an empty key. Use one of a byte or more.")
      }
      throw StorageError(
        .keyTooLong,
        "A key of \(key.count) bytes is too long for LMDB (\(LMDBBytes.maximumKeyLength)). Shorten it.")
    }
  }
}
