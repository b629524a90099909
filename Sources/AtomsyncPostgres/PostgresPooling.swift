/// What replaces a session's settings where a pooler in transaction mode stands between: there they last for one
/// transaction.
enum PostgresPooling {
  /// The last one waits for the disk, as ``PostgresStatements/durable`` does.
  static let settings = PostgresStatement(
    "settings",
    """
    SELECT set_config('enable_seqscan', 'off', true), set_config('statement_timeout', '30s', true),
      set_config('lock_timeout', '10s', true), set_config('idle_in_transaction_session_timeout', '5s', true),
      set_config('synchronous_commit', replace(current_setting('synchronous_commit'), 'off', 'on'), true)
    """)

  /// Changes with every transaction that anybody commits in the database's server.
  static let look = PostgresStatement("look", "SELECT hashtextextended(pg_current_snapshot()::text, 0)")
}
