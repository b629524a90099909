internal import AtomsyncCore

/// The tables of a store, and what tells it from other tables.
struct PostgresLayout: Sendable {
  /// The store's advisory lock. Made of the table's name, as the statements name it: the table may be made anew
  /// underneath.
  let lock: Int64
  /// Whether a commit reaches the disk of the server.
  let isDurable: Bool

  /// Longer keys do not fit into an entry of PostgreSQL's index, of which there are three to a page of 8 KiB at least.
  static let maximumKeyLength = 2048

  private static let mark = "Atomsync store, layout "
  private static let current = 1

  /// Finds the store's table, or makes it.
  ///
  /// - Throws: ``PostgresFailure``; `StorageError` with `foreign` or `newerFormat`: nothing was changed.
  init(_ handle: PostgresHandle, _ address: PostgresAddress) throws {
    var found = try Self.find(handle, address)
    if found == nil {
      do { try Self.create(handle, address) } catch let failure as PostgresFailure {
        // Another server may have been faster.
        found = try? Self.find(handle, address)
        if found == nil { throw failure }
      }
      found = try found ?? Self.find(handle, address)
    }
    guard let found else { throw PostgresFailure("The table \(address.table.name) was removed.") }
    lock = found.lock
    // A backup of the store's table alone lacks the other one, whose rows are of use for moments only.
    if !found.hasCommits {
      _ = try handle.run(PostgresStatement("create-commits", Self.commits("IF NOT EXISTS", address)))
    }
    isDurable =
      try handle.run(PostgresStatement("fsync", "SELECT current_setting('fsync') = 'on'")).number(0, 0) != 0
  }

  /// What there is of a store.
  struct Found {
    var lock: Int64
    var hasCommits: Bool
  }

  static func find(_ handle: PostgresHandle, _ address: PostgresAddress) throws -> Found? {
    let result = try handle.run(
      PostgresStatement(
        "layout",
        """
        SELECT hashtextextended('atomsync ' || c.relnamespace::regnamespace || '.' || c.relname, 0), coalesce(obj_description(c.oid, 'pg_class'), ''),
          (SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
            FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
          to_regclass($2) IS NOT NULL
        FROM pg_class c WHERE c.oid = to_regclass($1)
        """, [.text(address.table.quoted), .text(address.table.quotedCommits)]))
    if result.rows.isEmpty { return nil }
    let description = result.text(0, 1) ?? ""
    let layout = description.hasPrefix(mark) ? Int(description.dropFirst(mark.count)) : nil
    guard let layout else {
      throw StorageError(
        .foreign,
        "There is a table \(address.table.name) at \(address), and it is no Atomsync store. Choose another with table=NAME."
      )
    }
    guard layout <= current else {
      throw StorageError(
        .newerFormat,
        "The store at \(address) has layout \(layout), and this Atomsync reads up to \(current). Use a newer Atomsync."
      )
    }
    guard result.text(0, 2) == "k bytea, v bytea" else {
      throw StorageError(
        .corrupt, "The table \(address.table.name) at \(address) was changed. Restore it from a backup.")
    }
    return Found(lock: result.number(0, 0), hasCommits: result.number(0, 3) != 0)
  }

  /// Makes the table of the last commit of each storage object, by which it finds out what became of one whose answer was lost.
  private static func commits(_ condition: String, _ address: PostgresAddress) -> String {
    "CREATE TABLE \(condition) \(address.table.quotedCommits) "
      + "(storage text PRIMARY KEY, number int8 NOT NULL, at timestamptz NOT NULL)"
  }

  private static func create(_ handle: PostgresHandle, _ address: PostgresAddress) throws {
    let table = address.table.quoted
    do {
      for text in [
        "BEGIN",
        "CREATE TABLE \(table) (k bytea PRIMARY KEY, v bytea NOT NULL)",
        commits("", address),
        "COMMENT ON TABLE \(table) IS '\(mark)\(current)'",
        "COMMIT",
      ] { _ = try handle.run(PostgresStatement("create", text)) }
    } catch {
      _ = try? handle.run(PostgresStatement("rollback", "ROLLBACK"))
      throw error
    }
  }
}
