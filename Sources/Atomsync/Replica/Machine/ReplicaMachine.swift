internal import AtomsyncCore
internal import Foundation
internal import HashTreeCollections

/// The replica's engine as a pure state machine: events in, effects out. No clock, no input or output, no
/// randomness of its own, so that a seed replays it exactly.
///
/// What is shown is base ⊕ pending. *Base* is what the server has said, *pending* what it has not confirmed yet,
/// *in flight* the one push whose verdicts are not known. The rules that keep writes from being lost:
///
/// 1. Each event's rows are one batch; batches become durable in order.
/// 2. A push is frozen and durable before it is sent, and sent again as it is until its verdicts are known.
/// 3. While a push's outcome is unknown no page is applied, so that its verdicts always meet a base that is not
///    younger than themselves.
/// 4. A page is applied together with its cursor. The next one is fetched meanwhile, and applied once it is durable:
///    one page is being saved and one is waiting at most, however many there are.
package struct ReplicaMachine: Sendable {
  package struct Settings: Sendable {
    enum Resolution: Sendable { case serverWins, localWins, ask }
    package let group: String
    package let keys: ReplicaKeys
    let resolution: Resolution
    let documentsPerPush: Int
    let pushBytes: Int
    /// How long conflicts are kept, in milliseconds.
    let retention: Int64
    let faults: PlantedFaults

    package init(
      group: String, atom: String, policy: ConflictPolicy, limits: Limits, retention: Int64 = .max,
      faults: PlantedFaults = []
    ) {
      self.group = group
      keys = ReplicaKeys(atom: atom)
      switch policy.kind {
      case .serverWins: resolution = .serverWins
      case .localWins: resolution = .localWins
      case .merge, .rebase: resolution = .ask
      }
      documentsPerPush = max(1, limits.documentsPerPush)
      pushBytes = max(1, limits.pushBytes)
      self.retention = retention
      self.faults = faults
    }
  }

  enum Link: Equatable, Sendable {
    /// No server, or the application asked for quiet.
    case offline
    /// After a failure, until the timer.
    case waiting(timer: Int)
    case connected
    case stopped(StopReason)
  }

  enum Activity: Equatable, Sendable {
    case idle
    case pulling(request: Int)
    /// A page was applied; its rows are not durable yet, and everything else waits. With the live stream that it came
    /// from.
    case saving(ticket: Int64, stream: Int?)
    /// A push was frozen; its row is not durable yet.
    case freezing(ticket: Int64)
    case pushing(request: Int)
  }

  enum Follow: Equatable, Sendable {
    case nothing
    case live(stream: Int, isOpen: Bool)
    case polling(timer: Int)
  }

  let settings: Settings

  // Content: what is stored.
  var record: AtomRecord
  var documents = KnownDocuments()
  var inFlight: FrozenPush?
  var rejections: TreeDictionary<String, RejectedEdit> = [:]
  var conflicts: [Conflict] = []

  // Derived from it.
  var inFlightEdits: [String: Int64] = [:]
  var atomicGroups: [Int64: Set<String>] = [:]
  var queue = EditQueue()

  // Talking to the server.
  var link = Link.offline
  var activity = Activity.idle
  var follow = Follow.nothing
  var needsPull = false
  /// The ticket of the rows of the last page that was applied.
  var pageTicket: Int64 = 0
  /// A page that was fetched while the one before it is being saved.
  var arrived: RemotePage?
  /// A page of the live stream that waits for a push to be settled.
  var held: (stream: Int, page: RemotePage)?
  var merging: [String: MergeTask] = [:]
  var wantsPass = false
  var hasAttempted = false
  var attempt = 0
  var pushLimit: Int
  /// Why the server takes no push of ours; it is asked again after a while, or the next connect or `sync`.
  var pushRefusal: SyncError?
  var refusals = 0
  var refusalTimer: Int?
  /// How often in a row the live stream has come to nothing.
  var liveFailures = 0
  var liveSince: Int64?
  var polls = 0
  var isLiveUnsupported = false
  package internal(set) var lastError: SyncError?
  var lastPull: Int64?
  var lastPush: Int64?
  /// The documents whose merge failed; they wait for a change.
  var openConflicts: Set<String> = []
  /// The numbers of the reports that a document's conflict is open.
  var openReports: [String: Int64] = [:]

  // Numbers.
  var lastNumber = 0
  package internal(set) var lastTicket: Int64 = 0
  package internal(set) var savedTicket: Int64 = 0
  /// Rises with every change of what is shown.
  package internal(set) var revision = 0

  var isRecordDirty = false
  private var postponed: [StorageWrite] = []
  /// The effects of the event that is being handled.
  var effects = ReplicaEffects()

  /// Handles one event.
  package mutating func handle(_ event: ReplicaEvent, now: Int64) -> ReplicaEffects {
    switch event {
    case .connect: connect()
    case .disconnect: disconnect()
    case .close: stop(.closed)
    case .storeLost: stop(.storeLost)
    case .sync: requestPass()
    case .saved(let ticket): saved(ticket, now)
    case .pulled(let request, let page): pulled(request, page, now)
    case .pullFailed(let request, let error): pullFailed(request, error)
    case .pushed(let request, let answer): pushed(request, answer, now)
    case .pushFailed(let request, let error, let client): pushFailed(request, error, client, now)
    case .liveOpened(let stream): liveOpened(stream, now)
    case .livePage(let stream, let page): livePage(stream, page, now)
    case .liveRevoked(let stream): liveRevoked(stream)
    case .liveEnded(let stream, let error): liveEnded(stream, error, now)
    case .timer(let timer): fired(timer)
    case .merged(let task, let result): merged(task, result, now)
    case .reset(let keepPending): reset(keepPending: keepPending, now)
    case .discardRejection(let rejection): discardRejection(rejection)
    case .expire: forgetOldConflicts(now)
    }
    advance(now)
    return takeEffects()
  }

  mutating func takeEffects() -> ReplicaEffects {
    if isRecordDirty {
      effects.batch.put(settings.keys.atomRow, record.bytes)
      isRecordDirty = false
    }
    if settings.faults.contains(.cursorBeforePage) { postponePage() }
    if !effects.batch.writes.isEmpty {
      lastTicket += 1
      effects.ticket = lastTicket
    }
    if !effects.changed.isEmpty { revision += 1 }
    #if DEBUG
    let violation = violatedInvariant(in: effects.changed)
    assert(violation == nil, violation ?? "")
    #endif
    defer { effects = ReplicaEffects() }
    return effects
  }

  /// The planted fault: rows of the base are stored one commit later than the cursor.
  private mutating func postponePage() {
    let base = settings.keys.all(.base)
    let (now, later) = effects.batch.writes.reduce(into: ([StorageWrite](), [StorageWrite]())) {
      parts, write in
      switch write {
      case .put(let key, _) where base.contains(key): parts.1.append(write)
      case .put, .delete: parts.0.append(write)
      }
    }
    guard !effects.batch.writes.isEmpty else { return }
    effects.batch.writes = postponed + now
    postponed = later
  }

  mutating func nextNumber() -> Int {
    lastNumber += 1
    return lastNumber
  }

  /// The ticket that the rows of the event being handled will get.
  var currentTicket: Int64 { lastTicket + 1 }
}

/// Why a replica does not talk to its server any more.
public enum StopReason: Sendable, Hashable {
  case closed
  /// The store was closed underneath, so that nothing can be saved any more. Open the client again.
  case storeLost
  /// The token belongs to `actual`, the atom's content to `expected`. Open the atom for the other user under a name
  /// of its own.
  case wrongUser(expected: String, actual: String)
}

/// Defects that the simulation's tests switch on, to show that it finds them. Always empty otherwise.
package struct PlantedFaults: OptionSet, Sendable {
  package let rawValue: Int
  package init(rawValue: Int) { self.rawValue = rawValue }

  package static let cursorBeforePage = PlantedFaults(rawValue: 1 << 0)
  package static let acknowledgementClearsNewerEdit = PlantedFaults(rawValue: 1 << 1)
  package static let pushNotFrozen = PlantedFaults(rawValue: 1 << 2)
  package static let verdictNotStored = PlantedFaults(rawValue: 1 << 3)
  package static let resetDropsPending = PlantedFaults(rawValue: 1 << 4)
  package static let purgeWithoutHorizon = PlantedFaults(rawValue: 1 << 5)
  package static let baseVersionNotRaised = PlantedFaults(rawValue: 1 << 6)
  package static let pageFromTwoSnapshots = PlantedFaults(rawValue: 1 << 7)
  package static let liveEventSkipped = PlantedFaults(rawValue: 1 << 8)
  package static let all = PlantedFaults(rawValue: 1 << 9 - 1)
}
