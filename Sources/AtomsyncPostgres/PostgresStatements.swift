/// Every statement that a store's connections run, again and again, made once for its table.
struct PostgresStatements: Sendable {
  static let begin = PostgresStatement("begin", "BEGIN ISOLATION LEVEL READ COMMITTED")
  /// All that is read until ``commit`` is of one snapshot.
  static let pin = PostgresStatement("pin", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
  static let commit = PostgresStatement("commit", "COMMIT")
  static let rollBack = PostgresStatement("rollback", "ROLLBACK")
  static let notify = PostgresStatement("notify", "SELECT pg_notify($1, $2)")
  /// Whether nobody has the store to itself; until the end of the transaction nobody can.
  static let share = PostgresStatement("share", "SELECT pg_try_advisory_xact_lock_shared($1)")
  /// The same, until the end of the session; and to have the store to oneself.
  static let shareForLong = PostgresStatement("share-for-long", "SELECT pg_try_advisory_lock_shared($1)")
  static let own = PostgresStatement("own", "SELECT pg_try_advisory_lock($1)")
  /// Waits for the disk, whatever the database, the role or the URL says, now or after a reload of its settings. Whoever runs
  /// the database may ask for more than the server's own disk (`remote_apply`); never for less.
  static let durable = PostgresStatement(
    "durable",
    "SELECT set_config('synchronous_commit', replace(current_setting('synchronous_commit'), 'off', 'on'), false)"
  )

  // MARK: Reading

  /// The values at keys ($1), with their places among these.
  let keys: PostgresStatement
  /// The same, and what scans find: their lower and upper bounds, limits of entries and of bytes, and directions ($2 – $6).
  let read: PostgresStatement
  /// The same, where no scan is backwards: PostgreSQL prepares for each part, whether it has anything to do or not.
  let readForwards: PostgresStatement

  // MARK: Committing

  /// Makes rows at keys ($1) at which there is none, and says which.
  let make: PostgresStatement
  /// Locks the rows at keys ($1) that nobody else has locked, and reads them.
  let lock: PostgresStatement
  /// Stores values ($2) at keys ($1).
  let put: PostgresStatement
  /// Removes keys ($1).
  let delete: PostgresStatement

  // MARK: The numbers of commits

  /// Notes the number ($2) of a storage object's ($1) commit.
  let number: PostgresStatement
  /// The number of a storage object's ($1) last commit, or $2 if it has made none; locked.
  let lastNumber: PostgresStatement
  /// Removes a storage object's ($1) number.
  let leave: PostgresStatement
  /// Removes the numbers of storage objects that have not committed for so long that none of them is in doubt.
  let forget: PostgresStatement

  init(table: PostgresTable) {
    let (table, commits) = (table.quoted, table.quotedCommits)
    let lookUp = Self.lookUp(table)
    keys = PostgresStatement("keys", lookUp)
    let forwards = "\(lookUp)\nUNION ALL \(Self.scan(table, backwards: false))"
    readForwards = PostgresStatement("read-forwards", forwards)
    read = PostgresStatement("read", "\(forwards)\nUNION ALL \(Self.scan(table, backwards: true))")
    make = PostgresStatement(
      "make",
      """
      INSERT INTO \(table) (k, v) SELECT k, ''::bytea FROM unnest($1::bytea[]) AS u(k)
      ON CONFLICT (k) DO NOTHING RETURNING k
      """)
    lock = PostgresStatement(
      "lock", "SELECT k, v FROM \(table) WHERE k = ANY($1::bytea[]) ORDER BY k FOR UPDATE SKIP LOCKED")
    put = PostgresStatement(
      "put",
      """
      INSERT INTO \(table) (k, v) SELECT * FROM unnest($1::bytea[], $2::bytea[])
      ON CONFLICT (k) DO UPDATE SET v = excluded.v
      """)
    delete = PostgresStatement("delete", "DELETE FROM \(table) WHERE k = ANY($1::bytea[])")
    number = PostgresStatement("number", Self.note(commits, "excluded.number"))
    lastNumber = PostgresStatement("last", Self.note(commits, "\(commits).number") + " RETURNING number")
    leave = PostgresStatement("leave", "DELETE FROM \(commits) WHERE storage = $1")
    forget = PostgresStatement("forget", "DELETE FROM \(commits) WHERE at < now() - interval '1 day'")
  }

  private static func note(_ commits: String, _ number: String) -> String {
    """
    INSERT INTO \(commits) (storage, number, at) VALUES ($1, $2, now())
    ON CONFLICT (storage) DO UPDATE SET number = \(number), at = now()
    """
  }

  // Each key and each scan is looked up by itself: as joined subqueries with a limit, which PostgreSQL runs for one row
  // after the other, in the order of the arrays, and never as a join of its own choice.

  private static func lookUp(_ table: String) -> String {
    """
    SELECT q.i, NULL::bytea, e.v, false FROM unnest($1::bytea[]) WITH ORDINALITY AS q(k, i)
    CROSS JOIN LATERAL (SELECT v FROM \(table) t WHERE t.k = q.k LIMIT 1) e
    """
  }

  /// A scan ends with the entry by which its values reach the limit of bytes; their lengths are known without reading them.
  private static func scan(_ table: String, backwards: Bool) -> String {
    let order = backwards ? "DESC" : "ASC"
    return """
      SELECT s.i, e.k, e.v, e.more FROM unnest($2::bytea[], $3::bytea[], $4::int8[], $5::int8[], $6::int8[])
        WITH ORDINALITY AS s(lower, upper, most, bytes, backwards, i)
      CROSS JOIN LATERAL (
        SELECT k, v, more FROM (
          SELECT k, v, row_number() OVER w AS n, sum(octet_length(v)) OVER w - octet_length(v) AS before,
            lead(true) OVER w IS NOT NULL AS more
          FROM (
            SELECT k, v FROM \(table) t WHERE t.k >= s.lower AND t.k < s.upper ORDER BY t.k \(order) LIMIT s.most + 1
          ) r WINDOW w AS (ORDER BY k \(order) ROWS UNBOUNDED PRECEDING)
        ) x WHERE n <= s.most AND (n = 1 OR before < s.bytes)
      ) e WHERE s.backwards = \(backwards ? 1 : 0)
      """
  }
}
