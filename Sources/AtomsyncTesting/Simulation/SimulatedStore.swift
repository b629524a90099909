internal import AtomsyncCore
internal import AtomsyncEngine
internal import Foundation

/// The store that the simulated authorities share, and the history of what was committed to it.
struct SimulatedStore {
  /// One document of one group.
  struct DocumentKey: Hashable, Comparable {
    var group: String
    var id: String

    static func < (left: DocumentKey, right: DocumentKey) -> Bool {
      (left.group, left.id) < (right.group, right.id)
    }
  }

  /// One accepted write.
  struct Write: Hashable {
    var document: DocumentKey
    var version: Int64
    /// `nil`: a deletion.
    var payload: Payload?
  }

  private(set) var bytes = OrderedBytes()
  private(set) var identity: UUID
  /// Every write that the store stands on, oldest first.
  private var order: [Write] = []
  private var byDocument: [DocumentKey: [Write]] = [:]
  private var counters: [String: Int64] = [:]
  /// Every write that was ever committed, also in states that were taken back.
  private(set) var everCommitted: Set<Write> = []
  /// The writes that a restore or a power cut took back.
  private(set) var takenBack: Set<Write> = []
  /// Every sealed value that was ever committed, by document.
  private(set) var sealedWrites: [DocumentKey: [SealedWrite]] = [:]
  private let sealing: SimulatedSealing

  /// A value as it was sent, and the version that it was made on.
  struct SealedWrite: Hashable {
    var madeOn: Int64
    var payload: Payload
  }

  /// Rises with each commit and each restore: what somebody looks at who wants to know of others' commits.
  private(set) var changes = 0

  private struct State {
    var bytes: OrderedBytes
    var order: [Write]
  }
  /// The states before the last commits, oldest first.
  private var recent: [State] = []
  private var backup: State?
  private static let recentStates = 6

  /// - Parameter sealing: reveals what is committed, so that the history is that of the documents themselves.
  init(identity: UUID, _ sealing: SimulatedSealing) {
    self.identity = identity
    self.sealing = sealing
    let header = StoreHeader(kind: .authority, identity: identity)
    _ = bytes.apply(header.creation)
  }

  /// How far the tombstones of a group have been purged.
  func horizon(of group: String) throws -> Int64 {
    try GroupHead(read(StorageQuery(keys: [AuthorityKey.head(group)])).values.first ?? nil).horizon
  }

  func read(_ query: StorageQuery) -> StorageSnapshot { bytes.read(query) }

  /// Applies batches, as a storage does, and takes note of what they write.
  ///
  /// - Throws: ``Violation`` when versions or sequences do not rise.
  mutating func commit(_ batches: [StorageBatch]) throws -> [StorageOutcome] {
    recent.append(State(bytes: bytes, order: order))
    if recent.count > Self.recentStates { recent.removeFirst() }
    changes += 1
    return try batches.map { batch in
      let outcome = bytes.apply(batch)
      if outcome == .committed { try note(batch) }
      return outcome
    }
  }

  private mutating func note(_ batch: StorageBatch) throws {
    for write in batch.writes {
      guard case .put(let key, let row) = write, key.first == Space.change.rawValue,
        let group = TupleKey.text(in: key, after: 1), let sequence = TupleKey.trailingNumber(key)
      else { continue }
      let stored = try Document(change: row)
      let document = sealing.revealed(stored, group)
      let place = DocumentKey(group: group, id: document.id)
      guard sequence == (counters[group] ?? 0) + 1 else {
        throw Violation("Sequence \(sequence) of \(group) follows \(counters[group] ?? 0).")
      }
      counters[group] = sequence
      if let last = byDocument[place]?.last, document.version <= last.version {
        throw Violation("The version of \(document.id) went from \(last.version) to \(document.version).")
      }
      let entry = Write(document: place, version: document.version, payload: document.content.payload)
      if sealing.isSealed, let payload = stored.content.payload {
        let isNew = byDocument[place]?.last?.payload == nil
        sealedWrites[place, default: []].append(
          .init(madeOn: isNew ? 0 : document.version - 1, payload: payload))
      }
      order.append(entry)
      byDocument[place, default: []].append(entry)
      everCommitted.insert(entry)
      takenBack.remove(entry)
    }
  }

  // MARK: Going back

  /// Remembers the store as it is now.
  mutating func makeBackup() { backup = State(bytes: bytes, order: order) }

  /// Puts the backup back. False when there is none.
  ///
  /// - Parameter identity: of the restored store, when it is restored from a dump; `nil` when it is a copy.
  mutating func restore(identity: UUID?) throws -> Bool {
    guard let backup else { return false }
    try goBack(to: backup)
    if let identity {
      self.identity = identity
      _ = bytes.apply(StoreHeader(kind: .authority, identity: identity).replacement)
    }
    return true
  }

  /// Loses the last commits, as a store does that promised no more than to outlive the process.
  mutating func losePower(_ commits: Int) throws {
    guard let state = recent.dropLast(commits - 1).last else { return }
    try goBack(to: state)
  }

  private mutating func goBack(to state: State) throws {
    changes += 1
    recent = []
    bytes = state.bytes
    takenBack.formUnion(Set(order).subtracting(state.order))
    order = state.order
    byDocument = [:]
    for write in order { byDocument[write.document, default: []].append(write) }
    for group in Array(counters.keys) {
      let head = try GroupHead(bytes.read(StorageQuery(keys: [AuthorityKey.head(group)])).values.first ?? nil)
      counters[group] = head.counter
    }
  }

  // MARK: What the oracle looks at

  /// The last write of a document that the store stands on.
  func last(_ document: DocumentKey) -> Write? { byDocument[document]?.last }

  func stands(_ write: Write) -> Bool { byDocument[write.document]?.contains(write) ?? false }

  /// How often a value was written.
  func count(_ document: DocumentKey, _ payload: Payload?) -> Int {
    byDocument[document]?.count { $0.payload == payload } ?? 0
  }

  /// Whether the document has been absent at some time since it first existed.
  func wasEverGone(_ document: DocumentKey) -> Bool {
    guard let writes = byDocument[document] else { return true }
    return writes.contains { $0.payload == nil }
  }

  /// The documents of a group that are alive, with their bytes.
  func live(_ group: String) -> [String: Payload] {
    byDocument.reduce(into: [:]) { live, entry in
      if entry.key.group == group { live[entry.key.id] = entry.value.last?.payload }
    }
  }

  /// What is wrong with the store itself.
  func audit() -> [String] {
    var audit = StoreAudit()
    while let query = audit.query { audit.take(bytes.read(query)) }
    return audit.problems
  }
}

/// A rule that was broken.
struct Violation: Error {
  var message: String
  init(_ message: String) { self.message = message }
}
