internal import Atomsync
internal import AtomsyncCore
internal import Foundation
internal import Transit

/// A replica in virtual time: the real state machine of one atom, on a device that crashes.
struct SimulatedReplica {
  let number: Int
  /// The number of the device that it lives on.
  let device: Int
  let group: String
  var policy: ConflictPolicy
  private let limits: Limits
  private let faults: PlantedFaults
  var machine: ReplicaMachine
  /// The live stream that the server keeps for this replica.
  var stream: LiveStream?
  /// The number of the live stream that the replica asked for last.
  var wantedStream: Int?
  /// The permission to read has been withdrawn at least once.
  var wasRevoked = false
  /// The store has been put back to an earlier state: what was confirmed since may be met again.
  var wasRolledBack = false
  /// Every edit made here, as the application saw it.
  var ledger: [Written] = []
  /// What each document showed before the last swap of it.
  var before: [String: TransitValue?] = [:]
  var together = AtomicLedger()
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
    /// The life of the device in which it was made.
    var life: Int
    /// Lost with a crash before it was durable, as is allowed.
    var isLost = false
  }

  init(
    number: Int, device: Int, group: String, policy: ConflictPolicy, limits: Limits, faults: PlantedFaults,
    client: UUID
  ) {
    self.number = number
    self.device = device
    self.group = group
    self.policy = policy
    self.limits = limits
    self.faults = faults
    machine = ReplicaMachine(
      ReplicaMachine.Settings(group: group, atom: group, policy: policy, limits: limits, faults: faults),
      client: client)
  }

  /// How the machine is made, with the policy of the day.
  private var settings: ReplicaMachine.Settings {
    ReplicaMachine.Settings(group: group, atom: group, policy: policy, limits: limits, faults: faults)
  }

  var keys: ReplicaKeys { settings.keys }

  mutating func noteTicket(_ ticket: Int64, edit: Int64) { ticketEdits.append((ticket, edit)) }

  mutating func noteSaved(_ ticket: Int64) {
    for (saved, edit) in ticketEdits where saved <= ticket { durableEdit = max(durableEdit, edit) }
    ticketEdits.removeAll { $0.ticket <= ticket }
  }

  /// A new process opens what the crash has left on the disk.
  mutating func restart(_ durable: OrderedBytes, client: UUID, now: Int64) throws -> ReplicaEffects {
    stream = nil
    wantedStream = nil
    ticketEdits = []
    together = AtomicLedger()
    let snapshot = durable.read(ReplicaMachine.loadQuery(settings))
    let effects: ReplicaEffects
    (machine, effects) = try ReplicaMachine.load(settings, snapshot, client: client, now: now)
    // What was not durable may be gone; what was must be there, which the oracle checks by the verdicts.
    for index in ledger.indices where ledger[index].edit > durableEdit { ledger[index].isLost = true }
    return effects
  }

  /// The store is put back to when `edit` was the last durable one; what the application was told since is void.
  mutating func rollBack(to edit: Int64) {
    durableEdit = edit
    wasRolledBack = true
  }
}
