internal import Atomsync
internal import AtomsyncCore
internal import Foundation
internal import Transit

/// A replica in virtual time: the real state machine on a disk that crashes.
struct SimulatedReplica {
  let number: Int
  let settings: ReplicaMachine.Settings
  let policy: ConflictPolicy
  var machine: ReplicaMachine
  var disk = SimulatedDisk()
  /// Rises with each crash: what was under way for an earlier life is void.
  var life = 0
  var isSaving = false
  /// The live stream that the server keeps for this replica.
  var stream: LiveStream?
  /// The number of the live stream that the replica asked for last.
  var wantedStream: Int?
  /// Every edit made here, as the application saw it.
  var ledger: [Written] = []
  /// The edits up to which the application was told that they are durable.
  var durableEdit: Int64 = 0
  private(set) var ticketEdits: [(ticket: Int64, edit: Int64)] = []

  struct LiveStream {
    var number: Int
    var cursor: Cursor?
    /// The server waits for the replica to read on.
    var isBusy = false
    /// Nothing gets through any more, and neither side knows.
    var isDead = false
  }

  struct Written {
    var edit: Int64
    var id: String
    var value: TransitValue?
    /// Lost with a crash before it was durable, as is allowed.
    var isLost = false
  }

  init(number: Int, settings: ReplicaMachine.Settings, policy: ConflictPolicy, client: UUID) {
    self.number = number
    self.settings = settings
    self.policy = policy
    machine = ReplicaMachine(settings, client: client)
  }

  mutating func noteTicket(_ ticket: Int64, edit: Int64) { ticketEdits.append((ticket, edit)) }

  mutating func noteSaved(_ ticket: Int64) {
    for (saved, edit) in ticketEdits where saved <= ticket { durableEdit = max(durableEdit, edit) }
    ticketEdits.removeAll { $0.ticket <= ticket }
  }

  /// The process dies, and a new one opens what is on the disk.
  mutating func restart(client: UUID, now: Int64, _ random: inout SeededRandom) throws -> ReplicaEffects {
    disk.crash(&random)
    life += 1
    isSaving = false
    stream = nil
    wantedStream = nil
    ticketEdits = []
    let before = machine
    let snapshot = disk.durable.read(ReplicaMachine.loadQuery(settings))
    let effects: ReplicaEffects
    (machine, effects) = try ReplicaMachine.load(settings, snapshot, client: client, now: now)
    _ = before
    // What was not durable may be gone; what was must be there, which the oracle checks by the verdicts.
    for index in ledger.indices where ledger[index].edit > durableEdit { ledger[index].isLost = true }
    return effects
  }
}
