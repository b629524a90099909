internal import AtomsyncCore

/// What a session is told when it begins. PostgreSQL's documentation, chapter 20, explains each.
enum PostgresSettings {
  /// For sessions that commit: whoever holds rows locked and does nothing is in everybody's way.
  static func committing(_ durability: StorageCapabilities.Durability) -> [String: String] {
    var settings = planning.merging(limits) { $1 }
    settings["idle_in_transaction_session_timeout"] = "5s"
    // Otherwise `PostgresStatements.durable` looks at what the database's own setting is.
    if durability != .power { settings["synchronous_commit"] = "off" }
    return settings
  }

  static let reading = planning.merging(limits) { $1 }

  /// For a snapshot that may be kept for long, whatever the database's own limits are.
  static let pinning = planning.merging(
    ["statement_timeout": "0", "lock_timeout": "0", "idle_in_transaction_session_timeout": "0"]
  ) { $1 }

  private static let limits = ["statement_timeout": "30s", "lock_timeout": "10s"]

  /// A store's statements have one good plan each: rows by the index. Planning them anew, or by how large the table was
  /// when it was last looked at, can only do worse.
  private static let planning = [
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off", "enable_bitmapscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off",
    "max_parallel_workers_per_gather": "0", "jit": "off",
  ]
}
