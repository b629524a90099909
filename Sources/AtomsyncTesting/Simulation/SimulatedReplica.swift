internal import AtomsyncCore
internal import AtomsyncEngine
internal import Foundation
internal import Transit

/// A replica in virtual time: the real state machine of one atom, on a device that crashes, and the part of its driver:
/// which timers run, which requests are waited for.
struct SimulatedReplica {
  let number: Int
  /// The number of the device that it lives on.
  let device: Int
  let group: String
  var policy: ConflictPolicy
  private let limits: Limits
  private let retention: Int64
  var machine: ReplicaMachine
  private let sealing: SimulatedSealing
  /// The keys that its process has.
  private(set) var ring = SimulatedSealing.Ring.first
  /// What it sends and hears passes here.
  private(set) var edge: DocumentSealing
  /// The pushes that are on their way, by request.
  var sealedPushes: [Int: SealedPush] = [:]
  /// The documents that a server has lied about to it.
  var deceived: Set<String> = []

  // The driver's part.
  /// The timer of each kind that runs.
  var timers: [ReplicaTimer.Kind: Int] = [:]
  /// The requests that are waited for.
  var requests: Set<Int> = []
  /// The number of the live stream that the replica asked for last.
  var wantedStream: Int?

  // What the application knows.
  /// Every edit made here, as the application saw it.
  var ledger: [Written] = []
  /// What each document showed before the last swap of it.
  var before: [String: TransitValue?] = [:]
  var together = AtomicLedger()
  /// The edits up to which the application was told that they are durable.
  var durableEdit: Int64 = 0
  private(set) var ticketEdits: [(ticket: Int64, edit: Int64)] = []
  /// The verdicts that the application was told once they were durable.
  var told: [EditKey: Verdict] = [:]
  /// Verdicts whose rows are not durable yet.
  var untold: [(ticket: Int64, settled: ReplicaEffects.Settled)] = []

  // What the oracle knows.
  /// The pending edits after the last event.
  var pending: [String: ReplicaMachine.PendingView] = [:] {
    didSet {
      for (id, view) in pending where view != oldValue[id] {
        outcomes[EditKey(edit: view.last, id: id), default: []].insert(view.value)
      }
    }
  }
  /// What the edits up to one came to, merged or not: a process that starts finds one of them.
  private(set) var outcomes: [EditKey: Set<TransitValue?>] = [:]
  /// What a push was made on and holds, by its number and content.
  var pushes: [PushKey: [String: PushedEdit]] = [:]
  /// The last push that was sent.
  var lastPush: PushKey?
  /// The permission to read has been withdrawn at least once.
  var wasRevoked = false
  /// The store has been put back to an earlier state: what was confirmed since may be met again.
  var wasRolledBack = false
  /// What was sent, with an outcome that nobody knew, of edits that fell with others of their atomic swap: to meet it
  /// later is to meet a stranger.
  var fallen: Set<TransitValue> = []
  /// The newest version of each document that has been the base since the last reset.
  var heights = BaseHeights()
  /// The documents of which the application has discarded a rejected edit.
  var discardedRejections: Set<String> = []

  struct EditKey: Hashable {
    var edit: Int64
    var id: String
  }

  /// What makes a push the one that it is. A device that was put back gives a number again, to edits that may be the same:
  /// then it has read something else.
  struct PushKey: Hashable {
    var ticket: PushTicket?
    var edits: [Edit]
    var cursor: Cursor?
    var seen: Cursor?

    init(_ push: PushRequest) {
      ticket = push.ticket
      edits = push.edits
      cursor = push.cursor
      seen = push.seen
    }
  }

  struct PushedEdit {
    /// The value that the edit was made on, and its own.
    var base: TransitValue?
    var value: TransitValue?
  }

  struct Written {
    var edit: Int64
    var id: String
    var value: TransitValue?
    /// The life of the device in which it was made.
    var life: Int
    /// Lost with a crash before it was durable, as is allowed.
    var isLost = false
    /// The application discarded it.
    var isDiscarded = false
  }

  init(
    number: Int, device: Int, group: String, policy: ConflictPolicy, limits: Limits, retention: Int64,
    client: UUID, sealing: SimulatedSealing
  ) {
    self.number = number
    self.device = device
    self.group = group
    self.policy = policy
    self.limits = limits
    self.retention = retention
    self.sealing = sealing
    edge = sealing.edge(group, .first)
    machine = ReplicaMachine(
      ReplicaMachine.Settings(
        group: group, atom: group, policy: policy, limits: limits, retention: retention, sealing: edge),
      client: client)
  }

  /// How the machine is made, with the policy of the day.
  private var settings: ReplicaMachine.Settings {
    ReplicaMachine.Settings(
      group: group, atom: group, policy: policy, limits: limits, retention: retention, sealing: edge)
  }

  var keys: ReplicaKeys { settings.keys }

  mutating func noteTicket(_ ticket: Int64, edit: Int64) { ticketEdits.append((ticket, edit)) }

  mutating func noteSaved(_ ticket: Int64) {
    for (saved, edit) in ticketEdits where saved <= ticket { durableEdit = max(durableEdit, edit) }
    ticketEdits.removeAll { $0.ticket <= ticket }
    for (_, settled) in untold.prefix(while: { $0.ticket <= ticket }) {
      for written in ledger
      where written.id == settled.id && (settled.first...settled.edit).contains(written.edit)
        && !written.isLost
      {
        // The first one counts: a later verdict on what is left of a document's edits may span it.
        let key = EditKey(edit: written.edit, id: written.id)
        told[key] = told[key] ?? settled.verdict
      }
    }
    untold.removeAll { $0.ticket <= ticket }
  }

  /// What a process finds that opens the atom.
  func opened(_ durable: OrderedBytes, client: UUID, now: Int64) throws -> (ReplicaMachine, ReplicaEffects) {
    try ReplicaMachine.load(
      settings, durable.read(ReplicaMachine.loadQuery(settings)), client: client, now: now)
  }

  /// A new process opens what the crash has left on the disk.
  ///
  /// - Parameter ring: the keys that the process is given.
  mutating func restart(
    _ durable: OrderedBytes, client: UUID, now: Int64, _ ring: SimulatedSealing.Ring
  ) throws -> ReplicaEffects {
    self.ring = ring
    edge = sealing.edge(group, ring)
    sealedPushes = [:]
    wantedStream = nil
    timers = [:]
    requests = []
    ticketEdits = []
    untold = []
    together = AtomicLedger()
    heights = BaseHeights()
    let effects: ReplicaEffects
    (machine, effects) = try opened(durable, client: client, now: now)
    // What was not durable may be gone; what was must be there, which the oracle checks by the verdicts.
    for index in ledger.indices where ledger[index].edit > durableEdit { ledger[index].isLost = true }
    return effects
  }

  /// The store is put back to when `edit` was the last durable one; what the application was told since is void.
  mutating func rollBack(to edit: Int64, _ durable: OrderedBytes) throws {
    durableEdit = edit
    wasRolledBack = true
    told = try told.filter { try verdict(on: $0.key.edit, of: $0.key.id, durable) != nil }
  }

  /// All rows of the atom, as they are on a disk.
  func rows(_ durable: OrderedBytes) -> [StorageEntry] {
    let spaces: [Space] = [
      .atom, .base, .pending, .inFlight, .rejected, .conflict, .formerAtom, .formerInFlight,
    ]
    return durable.read(StorageQuery(scans: spaces.map { StorageScan(keys.all($0)) })).scans.flatMap(
      \.entries)
  }

  /// The verdict on an edit by its row, as a receipt reads it.
  func verdict(on edit: Int64, of id: String, _ durable: OrderedBytes) throws -> Verdict? {
    var search = VerdictSearch(keys, edit, of: id)
    while let scan = search.scan {
      let result = durable.read(StorageQuery(scans: [scan])).scans.first
      try search.advance(result ?? StorageScanResult(entries: [], isComplete: true))
    }
    return search.verdict
  }
}
