internal import AtomsyncCore

/// Some queries as one statement, which is one snapshot, and their answers.
struct PostgresRead: Sendable {
  /// So many entries of a scan come at once.
  static let entriesAtOnce = 10_000

  private let queries: [StorageQuery]

  init(_ queries: [StorageQuery]) { self.queries = queries }

  func statement(_ statements: PostgresStatements) -> PostgresStatement {
    let keys = queries.flatMap(\.keys)
    let scans = queries.flatMap(\.scans)
    if scans.isEmpty { return statements.keys.with(.byteArray(keys)) }
    let statement = scans.contains(where: \.reverse) ? statements.read : statements.readForwards
    return statement.with(
      .byteArray(keys),
      .byteArray(scans.map(\.range.lower)),
      .byteArray(scans.map { $0.range.upper ?? Self.beyondAllKeys }),
      // One at least, so that it is known whether there is any.
      .numberArray(scans.map { Int64(max(1, min($0.limit, Self.entriesAtOnce))) }),
      .numberArray(scans.map { Int64($0.byteLimit) }),
      .numberArray(scans.map { $0.reverse ? 1 : 0 }))
  }

  /// A bound above every key that the store takes.
  private static let beyondAllKeys = [UInt8](repeating: 0xFF, count: PostgresLayout.maximumKeyLength + 1)

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
