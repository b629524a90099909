public import AtomsyncCore
internal import Foundation

/// Checks what must be true of an authority's store: the two indexes name each other, and the counters hold.
///
/// A value that asks and is answered: read ``query``, give it to ``take(_:)``, until there is none. What looks wrong in
/// one snapshot because another authority wrote in between is looked at again in one, so that a store in use can be
/// checked. O(rows), a page at a time.
package struct StoreAudit {
  /// What is wrong, for people.
  package private(set) var problems: [String] = []
  /// How many documents were looked at, tombstones included.
  package private(set) var documents = 0
  package private(set) var groups = 0

  private enum Stage: CaseIterable {
    case changes, documents, heads, ends, pushes

    var range: KeyRange {
      switch self {
      case .changes: KeyRange(prefix: TupleKey(.change).bytes)
      case .documents: KeyRange(prefix: TupleKey(.document).bytes)
      case .heads: AuthorityKey.heads
      case .ends: KeyRange(prefix: TupleKey(.epochEnd).bytes)
      case .pushes: AuthorityKey.pushes
      }
    }
  }

  private enum Step {
    case epoch
    case page
    /// Look at the rows that the entries of a page name, in one snapshot with them.
    case check([Check])
  }

  /// Rows that have to agree, read together.
  private struct Check {
    var group: String
    /// Of a change or a document: the id, as far as it is known.
    var id: String?
    var keys: [[UInt8]]
    var isSecondLook = false
  }

  private var stages = Stage.allCases[...]
  private var rest = Stage.changes.range
  private var step = Step.epoch
  private var isLastPage = false
  /// More would not be read by anybody.
  private static let mostProblems = 1000
  private static let entriesPerPage = 500

  package init() {}

  // MARK: Asking

  package var query: StorageQuery? {
    guard stages.first != nil, problems.count < Self.mostProblems else { return nil }
    switch step {
    case .epoch: return StorageQuery(keys: [AuthorityKey.epoch])
    case .page:
      return StorageQuery(scans: [StorageScan(rest, limit: Self.entriesPerPage, byteLimit: 4 << 20)])
    case .check(let checks): return StorageQuery(keys: checks.flatMap(\.keys))
    }
  }

  package mutating func take(_ snapshot: StorageSnapshot) {
    guard let stage = stages.first else { return }
    switch step {
    case .epoch:
      do { _ = try (snapshot.values.first ?? nil).map { try StoreEpoch($0) } } catch {
        problems.append("The store's epoch cannot be read: \(error)")
      }
      step = .page
    case .page:
      guard let scan = snapshot.scans.first else { return }
      isLastPage = scan.isComplete
      if let last = scan.entries.last?.key { rest.lower = last + [0] }
      let checks = scan.entries.compactMap { look(at: $0, stage) }
      if checks.isEmpty { goOn() } else { step = .check(checks) }
    case .check(let checks):
      var values = snapshot.values[...]
      var again: [Check] = []
      for var check in checks {
        let own = Array(values.prefix(check.keys.count))
        values = values.dropFirst(check.keys.count)
        guard let problem = problem(check, own, stage) else { continue }
        if check.isSecondLook {
          problems.append("\(check.group): \(problem)")
        } else if let second = secondLook(check, own, stage) {
          check = second
          check.isSecondLook = true
          again.append(check)
        }
      }
      if again.isEmpty { goOn() } else { step = .check(again) }
    }
  }

  private mutating func goOn() {
    step = .page
    guard isLastPage else { return }
    isLastPage = false
    stages.removeFirst()
    if let next = stages.first { rest = next.range }
  }

  // MARK: What each row has to agree with

  private mutating func look(at entry: StorageEntry, _ stage: Stage) -> Check? {
    guard let group = TupleKey.text(in: entry.key, after: 1) else {
      problems.append("A key of \(entry.key.count) bytes names no group.")
      return nil
    }
    switch stage {
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

  /// The same check, of the rows as they are now: they may have moved since the page was read.
  private func secondLook(_ check: Check, _ values: [[UInt8]?], _ stage: Stage) -> Check? {
    var second = check
    switch stage {
    case .changes:
      if check.keys.count > 1, values[1] == nil { return nil }  // the change is gone: it was written anew
    case .documents:
      guard let row = values.last ?? nil else { return nil }
      if let sequence = (try? DocumentIndex(row))?.sequence {
        second.keys[1] = AuthorityKey.change(check.group, sequence)
      }
    case .heads, .ends, .pushes: break
    }
    return second
  }

  private func problem(_ check: Check, _ values: [[UInt8]?], _ stage: Stage) -> String? {
    do {
      switch stage {
      case .changes:
        let change = try values[1].map { try Document(change: $0) }
        let index = values.count > 2 ? try values[2].map { try DocumentIndex($0) } : nil
        let head = try GroupHead(values[0])
        return Self.problem(change, TupleKey.trailingNumber(check.keys[1]) ?? 0, index, head)
      case .documents:
        guard let row = values[2] else { return "The index of \(check.id ?? "?") has gone." }
        let index = try DocumentIndex(row)
        guard let change = try values[1].map({ try Document(change: $0) }), change.id == check.id else {
          return
            "The index names sequence \(index.sequence) for \(check.id ?? "?"), where there is no such change."
        }
        return nil
      case .heads:
        if values.count > 1, values[1] != nil { return "The epoch of the newest change has ended." }
        return Self.problem(try GroupHead(values[0]))
      case .ends:
        guard let row = values[1] else { return nil }
        return Self.problem(try EpochEnd(row), try GroupHead(values[0]))
      case .pushes:
        if let row = values[0], RowReader.isTagged(row) { _ = try PushRecord(row) }
        return nil
      }
    } catch { return "A row of \(check.id ?? "the group") cannot be read: \(error)" }
  }

  private static func problem(
    _ change: Document?, _ sequence: Int64, _ index: DocumentIndex?, _ head: GroupHead
  ) -> String? {
    guard let change else { return "The change at sequence \(sequence) has gone." }
    if sequence < 1 || sequence > head.counter {
      return "The change of \(change.id) has sequence \(sequence), and the counter is \(head.counter)."
    }
    if change.version < 1 { return "\(change.id) has version \(change.version)." }
    if change.content == .deleted && sequence <= head.horizon {
      return "The tombstone of \(change.id) at sequence \(sequence) is below the horizon \(head.horizon)."
    }
    guard let index else { return "The change of \(change.id) at sequence \(sequence) is in no index." }
    let expected = DocumentIndex(
      sequence: sequence, version: change.version, updated: change.updated,
      isDeleted: change.content == .deleted)
    if index != expected {
      return "The index has \(change.id) at sequence \(index.sequence) in version \(index.version), "
        + "the change is at \(sequence) in version \(change.version)."
    }
    return nil
  }

  private static func problem(_ head: GroupHead) -> String? {
    if head.counter < 0 || head.horizon < 0 || head.horizon > head.counter || head.floor < 0 {
      return "The counter is \(head.counter), the horizon \(head.horizon), the version floor \(head.floor)."
    }
    return nil
  }

  private static func problem(_ end: EpochEnd, _ head: GroupHead) -> String? {
    if end.sequence < 1 || end.sequence >= head.counter {
      return "An earlier epoch ended at sequence \(end.sequence), and the counter is \(head.counter)."
    }
    return nil
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
