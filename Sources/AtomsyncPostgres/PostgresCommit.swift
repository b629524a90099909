internal import AtomsyncCore

/// Batches on their way into the store: what has to be known of it first, which batches hold then, and what they write.
///
/// A value that knows no connection. In order: ``lock(_:)``, ``decide(_:)``, ``write(_:)``.
struct PostgresCommit: Sendable {
  private let batches: [StorageBatch]
  /// The keys of which a batch says that there is nothing at them. Each gets a row, if there is none: two commits that both
  /// want there to be none meet at it.
  private let absentKeys: [[UInt8]]
  /// All keys of which a batch says something.
  private let knownKeys: [[UInt8]]
  private(set) var outcomes: [StorageOutcome] = []
  /// The last state of each key that is written; `nil`: it is removed.
  private var writes: [[UInt8]: [UInt8]?] = [:]
  /// What the batches that hold are about; `nil`: anything.
  private(set) var topics: Set<String>? = []

  init(_ batches: [StorageBatch]) {
    self.batches = batches
    let preconditions = batches.flatMap(\.preconditions)
    knownKeys = Self.sorted(preconditions.map(\.key))
    absentKeys = Self.sorted(
      preconditions.compactMap { if case .absent(let key) = $0 { key } else { nil } })
  }

  /// Nothing is to be written.
  var isEmpty: Bool { writes.isEmpty }

  // MARK: What has to be known

  /// Each key that there can be once, in one order everywhere, so that two commits never wait for each other.
  private static func sorted(_ keys: [[UInt8]]) -> [[UInt8]] {
    Set(keys).filter { !isTooLong($0) }.sorted { $0.precedes($1) }
  }

  private static func isTooLong(_ key: [UInt8]) -> Bool { key.count > PostgresLayout.maximumKeyLength }

  /// Locks the rows that the batches have preconditions on. One that somebody else has locked is about to change: it is not
  /// waited for, and taken for changed.
  func lock(_ statements: PostgresStatements) -> [PostgresStatement] {
    var list: [PostgresStatement] = []
    if !absentKeys.isEmpty { list.append(statements.make.with(.byteArray(absentKeys))) }
    if !knownKeys.isEmpty { list.append(statements.lock.with(.byteArray(knownKeys))) }
    return list
  }

  // MARK: What holds

  /// - Parameter results: of the statements of ``lock(_:)``.
  mutating func decide(_ results: [PostgresResult]) {
    var results = results[...]
    var made: Set<[UInt8]> = []
    if !absentKeys.isEmpty, let result = results.popFirst() {
      made = Set(result.rows.compactMap { result.bytes($0, 0) })
    }
    var locked: [[UInt8]: [UInt8]] = [:]
    if let result = results.popFirst() {
      for row in result.rows {
        if let key = result.bytes(row, 0), !made.contains(key) { locked[key] = result.bytes(row, 1) ?? [] }
      }
    }
    decide(locked: locked, made: made)
  }

  /// - Parameters:
  ///   - locked: what there is at those of ``knownKeys`` that could be locked.
  ///   - made: those of ``absentKeys`` at which there was nothing, so that a row had to be made.
  private mutating func decide(locked: [[UInt8]: [UInt8]], made: Set<[UInt8]>) {
    for batch in batches {
      let broken = batch.preconditions.first { precondition in
        let key = precondition.key
        // What cannot be seen is somebody else's: neither absent, nor what it was.
        let isSeen =
          writes[key] != nil || locked[key] != nil || made.contains(key) || Self.isTooLong(key)
        return !isSeen || !precondition.holds(for: writes[key] ?? locked[key])
      }
      if let broken {
        outcomes.append(.refused(key: broken.key))
        continue
      }
      outcomes.append(.committed)
      for write in batch.writes {
        switch write {
        case .put(let key, let value): writes[key] = .some(value)
        case .delete(let key): writes[key] = .some(nil)
        }
      }
      if batch.writes.isEmpty { continue }
      if let own = batch.topics { topics?.formUnion(own) } else { topics = nil }
    }
    // The rows that were made go again, unless they are written.
    if !writes.isEmpty { for key in made where writes[key] == nil { writes[key] = .some(nil) } }
  }

  // MARK: What is written

  /// A statement has up to so many bytes of values.
  private static let bytesAtOnce = 32 << 20

  func write(_ statements: PostgresStatements) -> [PostgresStatement] {
    var list: [PostgresStatement] = []
    let keys = writes.keys.sorted { $0.precedes($1) }
    var puts = keys.compactMap { key in (writes[key] ?? nil).map { (key, $0) } }[...]
    while !puts.isEmpty {
      var bytes = 0
      let some = puts.prefix { put in
        defer { bytes += put.1.count }
        return bytes < Self.bytesAtOnce
      }
      puts = puts.dropFirst(some.count)
      list.append(statements.put.with(.byteArray(some.map(\.0)), .byteArray(some.map(\.1))))
    }
    let deletes = keys.filter { (writes[$0] ?? nil) == nil }
    if !deletes.isEmpty { list.append(statements.delete.with(.byteArray(deletes))) }
    return list
  }
}
