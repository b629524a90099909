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
  /// Answers queries between two commits, on the same thread.
  let reader: LMDBReader
  private let lease: LMDBLease
  private let skipsMetaSync: Bool
  private let commits: LMDBCommitCount

  init(_ lease: LMDBLease, durability: StorageCapabilities.Durability, _ commits: LMDBCommitCount) {
    self.reader = LMDBReader(lease)
    self.lease = lease
    self.skipsMetaSync = durability != .power
    self.commits = commits
  }

  func commit(_ batches: [StorageBatch]) throws -> [StorageOutcome] {
    for batch in batches { try checkKeys(batch) }
    let environment = lease.environment
    try environment.file.check()
    do {
      try environment.skipMetaSync(skipsMetaSync)
      return try environment.writeLock.withLock {
        while true {
          do {
            return try attempt(batches)
          } catch let failure as LMDBFailure where failure.code == MDB_MAP_FULL {
            try environment.grow()
          } catch let failure as LMDBFailure where failure.code == MDB_MAP_RESIZED {
            try environment.followMap()
          }
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

  private func attempt(_ batches: [StorageBatch]) throws -> [StorageOutcome] {
    var begun: OpaquePointer?
    try LMDBFailure.check(mdb_txn_begin(lease.environment.handle, nil, 0, &begun))
    guard let transaction = begun else { throw LMDBFailure(code: ENOMEM) }
    do {
      var isChanged = false
      let outcomes = try batches.map { try apply($0, transaction, &isChanged) }
      begun = nil  // gone now, whether or not it succeeds
      if isChanged {
        try commits.counting { try LMDBFailure.check(mdb_txn_commit(transaction)) }
        try lease.environment.file.check()  // who is told of a commit finds it after the next start
      } else {
        mdb_txn_abort(transaction)  // a transaction without any change takes no number
      }
      return outcomes
    } catch {
      if begun != nil { mdb_txn_abort(transaction) }
      throw error
    }
  }

  private func apply(
    _ batch: StorageBatch, _ transaction: OpaquePointer, _ isChanged: inout Bool
  ) throws -> StorageOutcome {
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
      case .put(let key, let value):
        try LMDBBytes.put(transaction, database, key, value)
        isChanged = true
      case .delete(let key):
        if try LMDBBytes.delete(transaction, database, key) { isChanged = true }
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

/// How many transactions are one storage's own: what LMDB has counted beyond them is other people's.
final class LMDBCommitCount: Sendable {
  private let count = Lock<Int64>(0)

  /// Counts a commit, before anybody can see it. Were it counted after, somebody might take it for a foreign one, and a
  /// foreign one that follows for that.
  func counting(_ commit: () throws -> Void) throws {
    count.withLock { $0 += 1 }
    do { try commit() } catch {
      count.withLock { $0 -= 1 }
      throw error
    }
  }

  /// How many of so many transactions are foreign, but for commits that are under way.
  func foreign(of last: Int64) -> Int64 { last - count.withLock { $0 } }
}
