internal import AtomsyncCore
internal import Foundation
internal import HashTreeCollections

/// What a replica holds: the server's documents, the edits that it has not confirmed, the push in flight, and what
/// became of edits. It knows nothing of connections: ``ReplicaMachine`` gives it pages and verdicts.
///
/// What is visible is base ⊕ pending. *Base* is what the server has said, *pending* what it has not confirmed yet,
/// *in flight* the one push whose verdicts are not known.
struct ReplicaContent: Sendable {
  struct Settings: Sendable {
    enum Resolution: Sendable { case serverWins, localWins, ask }
    let group: String
    let keys: ReplicaKeys
    let resolution: Resolution
    let documentsPerPush: Int
    /// How long conflicts are kept, in milliseconds of the atom's age.
    let retention: Int64
    let conflictBytes: Int
    let sealing: DocumentSealing
  }

  /// What the event that is being handled has changed.
  struct Output: Sendable {
    var batch = StorageBatch()
    var changed: Set<String> = []
    var settled: [ReplicaEffects.Settled] = []
    var conflicts: [Conflict] = []
    var merges: [MergeTask] = []
  }

  /// Whether the atom's row has to be written.
  enum RecordState: Sendable {
    case saved
    /// It differs in what can wait until other rows are written.
    case withNextRows
    case now
  }

  let settings: Settings
  /// The time of the event that is being handled, in milliseconds since 1970 by this machine's clock.
  var now: Int64 = 0

  // What is stored.
  var record: AtomRecord
  var documents = KnownDocuments()
  var inFlight: FrozenPush?
  var rejections: TreeDictionary<String, RejectedEdit> = [:]
  var conflicts: ConflictLog

  // Derived from it.
  var seals = SealIndex()
  var inFlightEdits: [String: Int64] = [:]
  var atomicGroups = AtomicGroups()
  var queue = EditQueue()

  /// The application is being asked about these conflicts.
  var merging: [String: MergeTask] = [:]
  /// The documents whose merge failed; they wait for a change.
  var openConflicts: Set<String> = []

  var recordState = RecordState.withNextRows
  var output = Output()
  /// How far ahead an opened atom goes on with the numbers of its edits.
  let editStep: UInt32

  /// A new, empty replica.
  ///
  /// - Parameter client: names it to the server.
  init(_ settings: Settings, client: UUID) {
    self.settings = settings
    record = AtomRecord(client: client)
    record.group = settings.group
    _ = record.take(settings.sealing.encryption)
    conflicts = ConflictLog(limit: settings.conflictBytes)
    editStep = withUnsafeBytes(of: client.uuid) { $0.loadUnaligned(as: UInt32.self) }
  }

  mutating func takeOutput() -> Output {
    let isDue =
      switch recordState {
      case .saved: false
      case .withNextRows: !output.batch.writes.isEmpty
      case .now: true
      }
    if isDue {
      output.batch.put(settings.keys.atomRow, record.bytes)
      recordState = .saved
    }
    var taken = Output()
    swap(&taken, &output)  // which counts no references
    return taken
  }

  /// Writes the atom's row with this event's rows.
  mutating func saveRecord() { recordState = .now }

  /// The documents with pending edits, in order.
  var pendingIDs: [String] { documents.pending.keys.sorted() }

  // MARK: What a pull and a push need to know

  /// The push in flight as it is to be sent.
  var outgoingPush: OutgoingPush? {
    guard let push = inFlight else { return nil }
    var outgoing = OutgoingPush(request: push.request(group: settings.group, user: record.user))
    guard isSealed else { return outgoing }
    for entry in push.entries { outgoing.lineages[entry.id] = documents[entry.id]?.base?.seal?.lineage }
    return outgoing
  }

  var pushSize: PushSize {
    let entries = inFlight?.entries ?? []
    return PushSize(
      documents: entries.count, bytes: entries.reduce(0) { $0 + ($1.value?.byteCount ?? 0) },
      isWhole: entries.count < 2 || inFlight?.isAtomic ?? false)
  }

  // MARK: Changing a document

  /// Ends a document's pending edit with a verdict on all of it.
  mutating func drop(_ id: String, _ verdict: Verdict) {
    guard let edit = documents[id]?.pending else { return }
    closeReport(id, edit, verdict == .discarded ? .serverWon : .merged)
    change(id) { $0.pending = nil }
    merging[id] = nil
    openConflicts.remove(id)
    leaveAtomicGroup(id, edit)
    output.batch.delete(settings.keys.pending(id))
    settle(id, edit.firstEdit...edit.edit, verdict)
  }

  mutating func leaveAtomicGroup(_ id: String, _ edit: PendingEdit) {
    guard let group = edit.atomic else { return }
    for id in atomicGroups.remove(id, from: group) { queue.append(id) }  // this one may have held them up
  }

  mutating func settle(_ id: String, _ edits: ClosedRange<Int64>, _ verdict: Verdict) {
    let row = VerdictRow(verdict, firstEdit: edits.lowerBound, age: record.age)
    output.batch.put(settings.keys.verdict(id, edits.upperBound), row.bytes)
    saveRecord()
    output.settled.append(.init(id: id, first: edits.lowerBound, edit: edits.upperBound, verdict: verdict))
  }

  mutating func setPending(_ id: String, _ edit: PendingEdit) {
    change(id) { $0.pending = edit }
    output.batch.put(settings.keys.pending(id), edit.row)
  }

  mutating func setBase(_ id: String, _ document: BaseDocument) {
    change(id) { $0.base = document }
    noteSeal(of: id, document)
    if document.isStored {
      output.batch.put(settings.keys.base(id), document.row)
    } else {
      output.batch.delete(settings.keys.base(id))
    }
  }

  mutating func removeBase(_ id: String) {
    change(id) { $0.base = nil }
    noteSeal(of: id, nil)
    output.batch.delete(settings.keys.base(id))
  }

  /// The page of a tombstone has come: from an honest server nothing that comes later is older.
  mutating func forgetTombstone(_ id: String) {
    if documents[id]?.base?.isStored == false { change(id) { $0.base = nil } }
  }

  /// Changes what is known of a document, and notes whether that is to be seen.
  private mutating func change(_ id: String, _ body: (inout KnownDocument) -> Void) {
    let isSeen = documents.update(id) { document in
      let before = document
      body(&document)
      return document != before
    }
    if isSeen { output.changed.insert(id) }
  }
}
