internal import AtomsyncCore

/// Some queries as one statement, which is one snapshot, and their answers.
struct PostgresRead: Sendable {
  /// So many entries of a scan come at once.
  static let entriesAtOnce = 10_000

  private let queries: [StorageQuery]

  init(_ queries: [StorageQuery]) { self.queries = queries }

  func statement(_ table: String) -> PostgresStatement {
    let keys = queries.flatMap(\.keys)
    let scans = queries.flatMap(\.scans)
    if scans.isEmpty {
      return PostgresStatement("keys", Self.keys(table), [.byteArray(keys)])
    }
    return PostgresStatement(
      "read",
      """
      \(Self.keys(table))
      UNION ALL \(Self.scans(table, "NOT s.reverse", order: ""))
      UNION ALL \(Self.scans(table, "s.reverse", order: "DESC"))
      """,
      [
        .byteArray(keys),
        .byteArray(scans.map(\.range.lower)),
        .byteArray(scans.map { $0.range.upper ?? Self.beyondAllKeys }),
        // One at least, so that it is known whether there is any.
        .numberArray(scans.map { Int64(max(1, min($0.limit, Self.entriesAtOnce))) }),
        .numberArray(scans.map { Int64($0.byteLimit) }),
        .numberArray(scans.map { $0.reverse ? 1 : 0 }),
      ])
  }

  /// The answers, in the order of the queries.
  func snapshots(_ result: PostgresResult) -> [StorageSnapshot] {
    var values = [[UInt8]?](repeating: nil, count: queries.reduce(0) { $0 + $1.keys.count })
    var scans = queries.flatMap(\.scans).map { _ in StorageScanResult(entries: [], isComplete: true) }
    for row in result.rows {
      let place = Int(result.number(row, 0)) - 1
      let value = result.bytes(row, 2) ?? []
      if let key = result.bytes(row, 1) {
        scans[place].entries.append(StorageEntry(key: key, value: value))
        scans[place].isComplete = result.number(row, 3) == 0
      } else {
        values[place] = value
      }
    }
    var (restOfValues, restOfScans) = (values[...], scans[...])
    return queries.map { query in
      let own = zip(query.scans, restOfScans).map { scan, result in
        scan.limit > 0
          ? result : StorageScanResult(entries: [], isComplete: result.entries.isEmpty)
      }
      defer {
        restOfValues = restOfValues.dropFirst(query.keys.count)
        restOfScans = restOfScans.dropFirst(query.scans.count)
      }
      return StorageSnapshot(values: Array(restOfValues.prefix(query.keys.count)), scans: own)
    }
  }

  // MARK: The statement

  /// A bound above every key that the store takes.
  private static let beyondAllKeys = [UInt8](repeating: 0xFF, count: PostgresLayout.maximumKeyLength + 1)

  // Each key and each scan is looked up by itself: as joined subqueries with a limit, which PostgreSQL runs for one row
  // after the other, in the order of the arrays, and never as a join of its own choice.

  private static func keys(_ table: String) -> String {
    """
    SELECT q.i, NULL::bytea, e.v, false FROM unnest($1::bytea[]) WITH ORDINALITY AS q(k, i)
    CROSS JOIN LATERAL (SELECT v FROM \(table) t WHERE t.k = q.k LIMIT 1) e
    """
  }

  /// A scan ends before the entry for which its values would have reached the limit of bytes; their lengths are known
  /// without reading them.
  private static func scans(_ table: String, _ condition: String, order: String) -> String {
    let entries =
      "SELECT k, v FROM \(table) t WHERE t.k >= s.lower AND t.k < s.upper ORDER BY t.k \(order) LIMIT s.most + 1"
    return """
      SELECT s.i, e.k, e.v, e.more FROM unnest($2::bytea[], $3::bytea[], $4::int8[], $5::int8[], $6::int8[])
        WITH ORDINALITY AS s(lower, upper, most, bytes, reverse, i)
      CROSS JOIN LATERAL (
        SELECT k, v, more FROM (
          SELECT k, v, row_number() OVER w AS n, sum(octet_length(v)) OVER w - octet_length(v) AS before,
            lead(true) OVER w IS NOT NULL AS more
          FROM (\(entries)) r WINDOW w AS (ORDER BY k \(order) ROWS UNBOUNDED PRECEDING)
        ) x WHERE n <= s.most AND (n = 1 OR before < s.bytes)
      ) e WHERE \(condition.replacing("s.reverse", with: "s.reverse = 1"))
      """
  }
}

/// A query whose scans may be longer than what comes at once, in steps on one snapshot.
struct PostgresLongRead: Sendable {
  private let query: StorageQuery
  private var answer: StorageSnapshot?
  /// The scans that go on, by their place.
  private var open: [Int] = []

  init(_ query: StorageQuery) { self.query = query }

  static func isNeeded(for query: StorageQuery) -> Bool {
    query.scans.contains { $0.limit > PostgresRead.entriesAtOnce }
  }

  /// What is to be read next; `nil` at the end.
  var next: PostgresRead? {
    guard let answer else { return PostgresRead([query]) }
    if open.isEmpty { return nil }
    return PostgresRead([StorageQuery(scans: open.map { rest(of: query.scans[$0], after: answer.scans[$0]) })]
    )
  }

  mutating func take(_ snapshot: StorageSnapshot) {
    if answer == nil {
      answer = snapshot
      open = Array(query.scans.indices)
    } else {
      for (place, result) in zip(open, snapshot.scans) {
        answer?.scans[place].entries += result.entries
        answer?.scans[place].isComplete = result.isComplete
      }
    }
    guard let answer else { return }
    open = open.filter { place in
      let (scan, result) = (query.scans[place], answer.scans[place])
      return !result.isComplete && result.entries.count < scan.limit && byteCount(result) < scan.byteLimit
    }
  }

  /// The answer, at the end.
  var snapshot: StorageSnapshot { answer ?? StorageSnapshot() }

  private func byteCount(_ result: StorageScanResult) -> Int {
    result.entries.reduce(0) { $0 + $1.value.count }
  }

  private func rest(of scan: StorageScan, after result: StorageScanResult) -> StorageScan {
    var rest = scan
    if let last = result.entries.last?.key {
      if scan.reverse { rest.range.upper = last } else { rest.range.lower = last + [0] }
    }
    rest.limit -= result.entries.count
    rest.byteLimit -= byteCount(result)
    return rest
  }
}
