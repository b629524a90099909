internal import AtomsyncCore

/// A connection that answers queries from one snapshot, on a thread that may be blocked.
final class PostgresSnapshot {
  private let handle: PostgresHandle
  private let address: PostgresAddress

  /// - Throws: `StorageError`.
  init(_ address: PostgresAddress) throws {
    self.address = address
    do {
      handle = try PostgresHandle(
        address, settings: address.isPooled ? [:] : PostgresSettings.pinning, patience: .seconds(60))
    } catch let failure as PostgresFailure { throw failure.error(at: address) }
  }

  func pinned<Result>(_ body: (_ read: SnapshotRead) throws -> Result) throws -> Result {
    _ = try run(PostgresStatements.pin)
    if address.isPooled { _ = try run(PostgresPooling.settings) }
    return try body { query in
      var long = PostgresLongRead(query)
      while let read = long.next { long.take(read.snapshots(try run(read.statement(address.statements)))[0]) }
      return long.snapshot
    }
  }

  private func run(_ statement: PostgresStatement) throws -> PostgresResult {
    do { return try handle.run(statement) } catch let failure as PostgresFailure {
      throw failure.error(at: address)
    }
  }
}
