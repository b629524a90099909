import AtomsyncCore
import Foundation

/// What a storage may get wrong: at least one way for each promise of the kit.
enum StorageFlaw: Hashable {
  case batchesSeeOldState, refusedBatchWrites, preconditionsAfterWrites, firstWriteWins, equalsComparesPrefix
  case refusesEmptyCommit
  case isNeverEmpty, forgets, answersAfterClose, losesCommitsAtClose, bellOutlivesClose,
    bellOutlivesCancellation
  case emptyIsAbsent, cutsBigValues, valuesEndAtZero, shortKeys, takesLongKeys, sortsQuestions
  case signedOrder, upperBoundIncluded, cutsBounds, neverSaysMore, ignoresLimitsInReverse
  case tornReads, staleReads, racingCommits
  case copyForEachHandle, silentBell, emptyCommitsHideOthers, closesOthers, ignoresAccess
}

/// A store in memory with one flaw, or none. Several handles can have it open.
final class FlawedDisk: Sendable {
  struct State {
    var records = OrderedBytes()
    /// Before the last commit.
    var previous = OrderedBytes()
    var handles: [Int: StorageAccess] = [:]
    var bells: [AsyncStream<ForeignCommit>.Continuation] = []
    var hidden = 0
    var next = 0
  }
  fileprivate let state = Lock(State())
  let flaw: StorageFlaw?

  init(_ flaw: StorageFlaw?) { self.flaw = flaw }

  var provider: StorageProvider {
    StorageProvider("flawed") { [self] access in FlawedStorage(self, try enter(access)) }
  }

  private func enter(_ access: StorageAccess) throws -> Int {
    try state.withLock { state in
      let isFree = state.handles.isEmpty || (access == .shared && !state.handles.values.contains(.exclusive))
      if !isFree && flaw != .ignoresAccess { throw StorageError(.inUse, "in use") }
      state.next += 1
      if flaw == .forgets { state.records = OrderedBytes() }
      if flaw == .isNeverEmpty { state.records[[0]] = [0] }
      state.handles[state.next] = access
      return state.next
    }
  }
}

private final class FlawedStorage: Storage {
  private let disk: FlawedDisk
  private let number: Int
  private let copy: OrderedBytes
  private let bells = Lock<[AsyncStream<ForeignCommit>.Continuation]>([])
  private let buffer = Lock<[StorageBatch]>([])
  private var flaw: StorageFlaw? { disk.flaw }

  init(_ disk: FlawedDisk, _ number: Int) {
    self.disk = disk
    self.number = number
    copy = disk.state.withLock { $0.records }
  }

  var capabilities: StorageCapabilities {
    let longest = flaw == .shortKeys ? 255 : flaw == .takesLongKeys ? 500 : .max
    return StorageCapabilities(durability: .process, isShared: true, maximumKeyLength: longest)
  }

  // MARK: Reading

  func read(_ query: StorageQuery) async throws -> StorageSnapshot {
    if flaw != .answersAfterClose { try checkOpen() }
    var query = query
    if flaw == .sortsQuestions { query.keys.sort { $0.precedes($1) } }
    let records = records
    var snapshot = records.read(StorageQuery(keys: query.keys))
    if flaw == .tornReads, let first = query.keys.first {
      snapshot.values[0] = disk.state.withLock { $0.previous[first] }
    }
    snapshot.values = snapshot.values.map { $0.flatMap(flawed) }
    snapshot.scans = query.scans.map { scan($0, in: records) }
    return snapshot
  }

  private var records: OrderedBytes {
    switch flaw {
    case .copyForEachHandle: copy
    case .staleReads: disk.state.withLock { $0.previous }
    default: disk.state.withLock { $0.records }
    }
  }

  private func flawed(_ value: [UInt8]) -> [UInt8]? {
    switch flaw {
    case .emptyIsAbsent where value.isEmpty: nil
    case .cutsBigValues: Array(value.prefix(1 << 20))
    case .valuesEndAtZero: Array(value.prefix { $0 != 0 })
    default: value
    }
  }

  private func scan(_ scan: StorageScan, in records: OrderedBytes) -> StorageScanResult {
    var scan = scan
    if flaw == .upperBoundIncluded { scan.range.upper = scan.range.upper.map { $0 + [0] } }
    if flaw == .cutsBounds { scan.range.lower = Array(scan.range.lower.prefix(511)) }
    if flaw == .ignoresLimitsInReverse && scan.reverse { scan.limit = .max }
    var result = records.read(StorageQuery(scans: [scan])).scans[0]
    for index in result.entries.indices {
      result.entries[index].value = flawed(result.entries[index].value) ?? []
    }
    if flaw == .neverSaysMore { result.isComplete = true }
    if flaw == .signedOrder {
      result.entries.sort {
        $0.key.map { Int8(bitPattern: $0) }.lexicographicallyPrecedes($1.key.map { Int8(bitPattern: $0) })
      }
    }
    return result
  }

  // MARK: Writing

  func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] {
    try checkOpen()
    if flaw == .refusesEmptyCommit && batches.isEmpty { throw StorageError(.failed, "nothing") }
    for key in batches.flatMap(\.writes).map(\.key) where flaw == .shortKeys && key.count > 255 {
      throw StorageError(.keyTooLong, "too long")
    }
    if flaw == .losesCommitsAtClose {
      let full = buffer.withLock { buffer in
        buffer += batches
        defer { if buffer.count >= 8 { buffer = [] } }
        return buffer.count >= 8 ? buffer : []
      }
      _ = change { records in full.map { records.apply($0) } }
      return batches.map { _ in .committed }
    }
    if flaw == .racingCommits {
      var seen = records
      let outcomes = batches.map { seen.apply($0) }
      await Task.yield()
      let passed = zip(batches, outcomes).filter { $0.1 == .committed }.map(\.0)
      _ = change { records in passed.map { records.apply(StorageBatch(writes: $0.writes)) } }
      return outcomes
    }
    if batches.allSatisfy({ $0.writes.allSatisfy { if case .delete = $0 { true } else { false } } }) {
      disk.state.withLock { $0.hidden += 1 }
    }
    return change { [flaw] records in
      let before = records
      return batches.map { Self.apply($0, to: &records, before, flaw) }
    }
  }

  private static func apply(
    _ batch: StorageBatch, to records: inout OrderedBytes, _ before: OrderedBytes, _ flaw: StorageFlaw?
  ) -> StorageOutcome {
    let writes = StorageBatch(writes: flaw == .firstWriteWins ? batch.writes.reversed() : batch.writes)
    var judged = flaw == .batchesSeeOldState ? before : records
    if flaw == .preconditionsAfterWrites { _ = judged.apply(writes) }
    for precondition in batch.preconditions {
      var holds = precondition.holds(for: judged[precondition.key])
      if flaw == .equalsComparesPrefix, case .equals(let key, let value) = precondition,
        let stored = judged[key]
      {
        holds = stored.starts(with: value)
      }
      guard holds else {
        if flaw == .refusedBatchWrites { _ = records.apply(writes) }
        return .refused(key: precondition.key)
      }
    }
    return records.apply(writes)
  }

  private func change(_ body: (inout OrderedBytes) -> [StorageOutcome]) -> [StorageOutcome] {
    typealias Changed = ([StorageOutcome], [AsyncStream<ForeignCommit>.Continuation])
    let (outcomes, bells) = disk.state.withLock { state -> Changed in
      state.previous = state.records
      let outcomes = body(&state.records)
      if flaw == .silentBell { return (outcomes, []) }
      if flaw == .emptyCommitsHideOthers && state.hidden > 0 {
        if state.records.read(StorageQuery(scans: [StorageScan(.all)]))
          != state.previous.read(StorageQuery(scans: [StorageScan(.all)]))
        {
          state.hidden -= 1
        }
        return (outcomes, [])
      }
      return (outcomes, state.bells)
    }
    for bell in bells { bell.yield(ForeignCommit()) }
    return outcomes
  }

  // MARK: Lifetime

  func foreignCommits() -> AsyncStream<ForeignCommit> {
    if flaw == .bellOutlivesCancellation {
      return AsyncStream(unfolding: {
        await withUnsafeContinuation { (_: UnsafeContinuation<ForeignCommit?, Never>) in }
      })
    }
    let (stream, bell) = AsyncStream.makeStream(of: ForeignCommit.self, bufferingPolicy: .bufferingNewest(1))
    disk.state.withLock { $0.bells.append(bell) }
    bells.withLock { $0.append(bell) }
    return stream
  }

  func close() async {
    disk.state.withLock { state in
      if flaw == .closesOthers { state.handles = [:] }
      state.handles[number] = nil
    }
    if flaw != .bellOutlivesClose { for bell in bells.withLock({ $0 }) { bell.finish() } }
  }

  private func checkOpen() throws {
    if disk.state.withLock({ $0.handles[number] == nil }) { throw StorageError.closed }
  }
}
