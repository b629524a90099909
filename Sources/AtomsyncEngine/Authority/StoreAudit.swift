public import AtomsyncCore
internal import Foundation

/// Checks what must be true of an authority's store: the two indexes name each other, and the counters hold.
///
/// A value that asks and is answered: read ``query``, give it to ``take(_:)``, until there is none. Rows that have to agree
/// are read in one snapshot, and what has moved meanwhile is looked at where it is now, so that a store in use can be
/// checked. O(rows), a few at a time.
package struct StoreAudit {
  /// What is wrong, for people.
  package private(set) var problems: [String] = []
  /// How many documents were looked at, tombstones included.
  package private(set) var documents = 0
  package private(set) var groups = 0

  private enum Stage: CaseIterable {
    case epochs, changes, documents, heads, ends, pushes

    var range: KeyRange {
      switch self {
      case .epochs: AuthorityKey.epochs
      case .changes: KeyRange(prefix: TupleKey(.change).bytes)
      case .documents: KeyRange(prefix: TupleKey(.document).bytes)
      case .heads: AuthorityKey.heads
      case .ends: AuthorityKey.epochEnds
      case .pushes: AuthorityKey.pushes
      }
    }
  }

  private enum Step {
    case page
    /// Look at the rows that the entries of a page name.
    case check([Check])
  }

  /// Rows that have to agree, read in one snapshot.
  private struct Check {
    var group: String
    /// Of a change or a document: the id, as far as it is known.
    var id: String?
    var keys: [[UInt8]]
    var looks = 0
  }

  private enum Finding {
    case fine
    case problem(String)
    /// Other rows have to agree by now, because somebody has written meanwhile.
    case moved(keys: [[UInt8]])
  }

  private var stages = Stage.allCases[...]
  private var rest = Stage.epochs.range
  private var step = Step.page
  private var isLastPage = false
  /// More would not be read by anybody.
  private static let mostProblems = 1000
  private static let entriesPerPage = 500
  /// Values have 1 MiB at most, by default.
  private static let checksAtOnce = 16
  /// What moves each time that it is looked at is in use, and was right when it was written.
  private static let mostLooks = 20

  package init() {}

  // MARK: Asking

  package var query: StorageQuery? {
    guard stages.first != nil, problems.count < Self.mostProblems else { return nil }
    switch step {
    case .page:
      return StorageQuery(scans: [StorageScan(rest, limit: Self.entriesPerPage, byteLimit: 4 << 20)])
    case .check(let checks):
      return StorageQuery(keys: checks.prefix(Self.checksAtOnce).flatMap(\.keys))
    }
  }

  package mutating func take(_ snapshot: StorageSnapshot) {
    guard let stage = stages.first else { return }
    switch step {
    case .page:
      guard let scan = snapshot.scans.first else { return }
      isLastPage = scan.isComplete
      if let last = scan.entries.last?.key { rest.lower = last + [0] }
      goOn(scan.entries.compactMap { look(at: $0, stage) })
    case .check(let checks):
      var values = snapshot.values[...]
      var left = Array(checks.dropFirst(Self.checksAtOnce))
      for var check in checks.prefix(Self.checksAtOnce) {
        let own = Array(values.prefix(check.keys.count))
        values = values.dropFirst(check.keys.count)
        switch finding(check, own, stage) {
        case .fine: break
        case .problem(let problem): problems.append("\(check.group): \(problem)")
        case .moved(let keys):
          check.keys = keys
          check.looks += 1
          if check.looks < Self.mostLooks { left.append(check) }
        }
      }
      goOn(left)
    }
  }

  private mutating func goOn(_ checks: [Check]) {
    step = checks.isEmpty ? .page : .check(checks)
    guard checks.isEmpty && isLastPage else { return }
    isLastPage = false
    stages.removeFirst()
    if let next = stages.first { rest = next.range }
  }

  // MARK: What each row has to agree with

  private mutating func look(at entry: StorageEntry, _ stage: Stage) -> Check? {
    if stage == .epochs {
      do { _ = try StoreEpoch(id: .zero, entry.value) } catch {
        problems.append("The epoch of an authority cannot be read: \(error)")
      }
      return nil
    }
    guard let group = TupleKey.text(in: entry.key, after: 1) else {
      problems.append("A key of \(entry.key.count) bytes names no group.")
      return nil
    }
    switch stage {
    case .epochs: return nil
    case .changes:
      documents += 1
      let id = try? Document(change: entry.value).id
      return Check(
        group: group, id: id,
        keys: [AuthorityKey.head(group), entry.key] + (id.map { [AuthorityKey.document(group, $0)] } ?? []))
    case .documents:
      let id = TupleKey.text(in: entry.key, after: TupleKey(.document).appending(group).bytes.count)
      let sequence = (try? DocumentIndex(entry.value))?.sequence
      return Check(
        group: group, id: id,
        keys: [AuthorityKey.head(group), AuthorityKey.change(group, sequence ?? 0), entry.key])
    case .heads:
      groups += 1
      let epoch = (try? GroupHead(entry.value))?.epoch
      return Check(
        group: group, keys: [entry.key] + (epoch.map { [AuthorityKey.epochEnd(group, $0)] } ?? []))
    case .ends: return Check(group: group, keys: [AuthorityKey.head(group), entry.key])
    case .pushes: return Check(group: group, keys: [entry.key])
    }
  }

  private func finding(_ check: Check, _ values: [[UInt8]?], _ stage: Stage) -> Finding {
    do {
      switch stage {
      case .epochs: return .fine
      case .changes:
        guard let row = values[1] else { return .fine }  // written anew, or purged
        let index = values.count > 2 ? try values[2].map { try DocumentIndex($0) } : nil
        let sequence = TupleKey.trailingNumber(check.keys[1]) ?? 0
        return Self.finding(try Document(change: row), sequence, index, try GroupHead(values[0]))
      case .documents:
        guard let row = values[2] else { return .fine }  // purged
        let index = try DocumentIndex(row)
        let key = AuthorityKey.change(check.group, index.sequence)
        guard key == check.keys[1] else { return .moved(keys: [check.keys[0], key, check.keys[2]]) }
        if let change = try values[1].map({ try Document(change: $0) }), change.id == check.id {
          return .fine
        }
        return .problem(
          "The index names sequence \(index.sequence) for \(check.id ?? "?"), where there is no such change.")
      case .heads:
        guard let epoch = try GroupHead(values[0]).epoch else { return .fine }
        let keys = [check.keys[0], AuthorityKey.epochEnd(check.group, epoch)]
        guard keys == check.keys else { return .moved(keys: keys) }
        return values[1] == nil ? .fine : .problem("The epoch of the newest change has ended.")
      case .ends:
        guard let row = values[1] else { return .fine }
        let (end, head) = (try EpochEnd(row), try GroupHead(values[0]))
        if end.sequence >= 1 && end.sequence < head.counter { return .fine }
        return .problem(
          "An earlier epoch ended at sequence \(end.sequence), and the counter is \(head.counter).")
      case .pushes:
        if let row = values[0], RowReader.isTagged(row) { _ = try PushRecord(row) }
        return .fine
      }
    } catch { return .problem("A row of \(check.id ?? "the group") cannot be read: \(error)") }
  }

  private static func finding(
    _ change: Document, _ sequence: Int64, _ index: DocumentIndex?, _ head: GroupHead
  ) -> Finding {
    if sequence < 1 || sequence > head.counter {
      return .problem(
        "The change of \(change.id) has sequence \(sequence), and the counter is \(head.counter).")
    }
    if change.version < 1 { return .problem("\(change.id) has version \(change.version).") }
    if change.content == .deleted && sequence <= head.horizon {
      return .problem(
        "The tombstone of \(change.id) at sequence \(sequence) is below the horizon \(head.horizon).")
    }
    guard let index else {
      return .problem("The change of \(change.id) at sequence \(sequence) is in no index.")
    }
    let expected = DocumentIndex(
      sequence: sequence, version: change.version, updated: change.updated,
      isDeleted: change.content == .deleted)
    if index == expected { return .fine }
    return .problem(
      "The index has \(change.id) at sequence \(index.sequence) in version \(index.version), "
        + "the change is at \(sequence) in version \(change.version).")
  }
}

/// What a check of a store found.
public struct StoreReport: Sendable {
  /// How many groups there are.
  public var groups: Int
  /// How many documents there are, tombstones included.
  public var documents: Int
  /// What is wrong, a line each; empty when nothing is.
  public var problems: [String]
}

extension Authority {
  /// Checks the store's invariants: that the index of documents and that of changes name each other, that counters,
  /// horizon, version floor and epochs agree, and that every row can be read. Nothing is changed; the store may be in
  /// use. O(rows)
  ///
  /// - Throws: `StorageError`: the store cannot be read. `CancellationError`.
  public func verify() async throws -> StoreReport { try await StoreAudit.report(on: storage) }

  /// The same for a store that this process does not serve. It has to exist.
  ///
  /// - Throws: `StorageError`: the store cannot be opened or read, or is not a server's. `CancellationError`.
  public static func verify(_ provider: StorageProvider) async throws -> StoreReport {
    let storage = try await provider.open(.shared)
    do {
      try await StoreHeader.check(storage, kind: .authority)
      let report = try await StoreAudit.report(on: storage)
      await storage.close()
      return report
    } catch {
      await storage.close()
      throw error
    }
  }
}

extension StoreAudit {
  fileprivate static func report(on storage: any Storage) async throws -> StoreReport {
    var audit = StoreAudit()
    while let query = audit.query {
      try Task.checkCancellation()
      audit.take(try await storage.read(query))
    }
    return StoreReport(groups: audit.groups, documents: audit.documents, problems: audit.problems)
  }
}
