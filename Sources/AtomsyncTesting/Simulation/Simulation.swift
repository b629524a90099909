public import Atomsync
internal import AtomsyncCore
internal import Foundation
public import Transit

/// Some replicas, an authority and a hostile network in virtual time, driven by one seed, and an oracle that holds
/// them to the promise: no write is ever lost silently, and everybody who can talk agrees.
///
/// Two to eight devices with one or two atoms each share two groups. The replicas are the real state machine, the authority's
/// rules the real ones; only time, disks and the network are simulated. The same seed and options replay exactly. Give it your own merge function to test that:
///
/// ```swift
/// for seed in 0..<1000 as Range<UInt64> {
///   var simulation = Simulation(seed: seed, policies: [.merge(myMerge)])
///   simulation.makeValue = { random, count in
///     ["title": .string("no. \(count)"), "tags": .set(random.oneIn(2) ? [.keyword("urgent")] : [])]
///   }
///   try simulation.run()
/// }
/// ```
public struct Simulation {
  /// How many things the applications and the environment do before the network heals.
  public var steps = 200
  /// Makes what the replicas write. Each value has to be another one, because the oracle knows writes by their values:
  /// that is what the count is for.
  public var makeValue: @Sendable (_ random: inout SeededRandom, _ count: Int) -> TransitValue {
    get { ownValues ?? { _, count in .string("v\(count)") } }
    set { ownValues = newValue }
  }
  private var ownValues: (@Sendable (inout SeededRandom, Int) -> TransitValue)?
  /// Called with each event and what it led to, for reading how a seed failed.
  public var trace: (@Sendable (String) -> Void)?

  let seed: UInt64
  private static let groups = ["simulated", "other"]
  let faults: PlantedFaults
  var random: SeededRandom
  var timeline = Timeline<Event>()
  var server: SimulatedServer
  var devices: [SimulatedDevice] = []
  /// The replicas of all devices, one for each atom.
  var replicas: [SimulatedReplica] = []
  var isHostile = true
  private var written: [String: [String: Set<TransitValue>]] = [:]
  var counter = 0
  var checks = 0
  var wasRestored = false
  /// Who wrote a value first.
  var authors: [TransitValue: Int] = [:]
  /// The values that were written more than once.
  var rewritten: Set<TransitValue> = []
  let policies: [ConflictPolicy]
  /// Refuses some pushes although it may have taken them at an earlier attempt, as when rights are withdrawn: then a
  /// replica cannot know what became of them, and may meet its own writes again.
  var isFickle: Bool { seed % 4 == 0 }
  /// Takes no long values, of which there are some then: not among an application's own, whose merge would meet them.
  var isStrict: Bool { seed % 4 == 2 && ownValues == nil }
  /// Puts devices' stores back to an earlier state.
  var isRollingBack: Bool { seed % 8 == 3 }
  /// Withdraws and returns the permission to read. A replica that has lost it writes without knowing what is there, and
  /// may meet its own writes as well.
  var isRevoking: Bool { seed % 4 == 1 }
  /// The store as it was a little earlier, for a planted fault.
  var earlier: OrderedBytes?

  enum Event {
    case act(stepsLeft: Int)
    case flush(device: Int, life: Int)
    case timer(Int, life: Int, Int)
    case pullArrives(Int, life: Int, request: Int, PullRequest)
    case pullEnds(Int, life: Int, request: Int, Result<PullPage, TransportError>)
    case pushArrives(Int, life: Int, request: Int, PushRequest, isAnswered: Bool)
    case pushEnds(Int, life: Int, request: Int, Result<PushAnswer, TransportError>)
    case liveArrives(Int, life: Int, stream: Int, PullRequest)
    case liveReads(Int, life: Int, stream: Int)
    case livePage(Int, life: Int, stream: Int, PullPage)
    case liveEnds(Int, life: Int, stream: Int, TransportError?)
    case liveRevoked(Int, life: Int, stream: Int)
    case merges(Int, life: Int, MergeTask)
  }

  /// - Parameters:
  ///   - policies: each replica takes one of them, by chance.
  public init(
    seed: UInt64, policies: [ConflictPolicy] = Simulation.allPolicies
  ) {
    self.init(seed: seed, policies: policies, faults: [])
  }

  package init(
    seed: UInt64, policies: [ConflictPolicy] = Simulation.allPolicies, faults: PlantedFaults
  ) {
    self.seed = seed
    self.policies = policies
    self.faults = faults
    var random = SeededRandom(seed: seed)
    server = SimulatedServer(identity: random.uuid(), faults: faults)
    var limits = Limits()
    limits.documentsPerPush = Int.random(in: 1...4, using: &random)
    for device in 0..<Int.random(in: 2...8, using: &random) {
      let first = replicas.count
      for group in Self.groups.prefix(random.oneIn(3) ? 2 : 1) {
        replicas.append(
          SimulatedReplica(
            number: replicas.count, device: device, group: group,
            policy: policies.randomElement(using: &random) ?? .serverWins, limits: limits, faults: faults,
            client: random.uuid()))
      }
      devices.append(SimulatedDevice(replicas: Array(first..<replicas.count)))
    }
    self.random = random
  }

  /// One of each kind.
  public static let allPolicies: [ConflictPolicy] = [
    .serverWins, .localWins, .merge(mergeTexts), .rebase(otherwise: mergeTexts),
  ]

  /// A merge that keeps both sides, as text, and deletes what either side deleted.
  public static let mergeTexts: ConflictPolicy.Merge = { input in
    guard let local = input.local, let remote = input.remote else { return nil }
    return .string("\(remote)+\(local)".filter { $0 != "\"" }.suffix(60).description)
  }

  /// Runs to the end.
  ///
  /// - Throws: ``SimulationFailure``, with the seed that replays it.
  public mutating func run() throws {
    do {
      if isStrict { server.beStrict() }
      timeline.schedule(.act(stepsLeft: steps), after: 0)
      for number in replicas.indices { try deliver(.connect, to: number) }
      var events = 0
      while let event = timeline.next() {
        events += 1
        if events > 20_000 { throw Violation("It does not come to rest.") }
        try handle(event)
      }
      try checkTheEnd()
    } catch {
      let message = (error as? Violation)?.message ?? "\(error)"
      throw SimulationFailure(seed: seed, time: timeline.now, message: message)
    }
  }

  // MARK: The machine's side

  mutating func deliver(_ event: ReplicaEvent, to number: Int) throws {
    let effects = replicas[number].machine.handle(event, now: timeline.now)
    trace?("\(timeline.now) replica \(number): \(event)\n    \(replicas[number].machine.summary)")
    try perform(effects, by: number)
  }

  mutating func perform(_ effects: ReplicaEffects, by number: Int) throws {
    // What changed each time, all of it now and then: that costs as much as everything else.
    checks += 1
    let machine = replicas[number].machine
    let violation =
      checks % 16 == 0 ? machine.violatedInvariant : machine.violatedInvariant(in: effects.changed)
    if let violation { throw Violation("Replica \(number): \(violation)") }
    if let ticket = effects.ticket {
      devices[replicas[number].device].disk.enqueue(effects.batch, ticket, of: number)
      scheduleFlush(replicas[number].device)
    }
    try check(effects, of: number)
    let life = life(of: number)
    for action in effects.actions {
      switch action {
      case .pull(let request, let message):
        send(.pullArrives(number, life: life, request: request, message)) {
          .pullEnds(number, life: life, request: request, .failure($0))
        }
      case .push(let request, let message):
        sendPush(number, life, request, message)
      case .openLive(let stream, let message):
        replicas[number].wantedStream = stream
        send(.liveArrives(number, life: life, stream: stream, message)) {
          .liveEnds(number, life: life, stream: stream, $0)
        }
      case .closeLive:
        replicas[number].stream = nil
        replicas[number].wantedStream = nil
      case .readOn(let stream): timeline.schedule(.liveReads(number, life: life, stream: stream), after: 1)
      case .backOff(let timer, let attempt, _):
        timeline.schedule(.timer(number, life: life, timer), after: 10 * Int64(min(attempt, 6)) + delay())
      case .poll(let timer): if isHostile { timeline.schedule(.timer(number, life: life, timer), after: 50) }
      case .merge(let task): timeline.schedule(.merges(number, life: life, task), after: delay())
      case .passEnded, .firstAttemptEnded: break
      }
    }
  }

  private mutating func scheduleFlush(_ device: Int) {
    guard !devices[device].isSaving else { return }
    devices[device].isSaving = true
    timeline.schedule(.flush(device: device, life: devices[device].life), after: delay() / 2)
  }

  func life(of number: Int) -> Int { devices[replicas[number].device].life }

  mutating func note(_ value: TransitValue, of id: String, by number: Int) {
    written[replicas[number].group, default: [:]][id, default: []].insert(value)
  }

  func wasWritten(_ value: TransitValue, as id: String, in group: String) -> Bool {
    written[group]?[id]?.contains(value) ?? false
  }

  mutating func handle(_ event: Event) throws {
    switch event {
    case .act(let left): try act(left)
    case .flush(let device, let life): try flush(device, life)
    case .timer(let number, let life, let timer):
      if life == self.life(of: number) { try deliver(.timer(timer), to: number) }
    case .pullArrives, .pushArrives, .liveArrives, .liveReads: try arrive(event)
    case .pullEnds(let number, let life, let request, let result):
      guard life == self.life(of: number) else { return }
      switch result {
      case .success(let page):
        try deliver(.pulled(request: request, try RemotePage(page)), to: number)
      case .failure(let error):
        if error.code == .forbidden { replicas[number].wasRevoked = true }
        try deliver(.pullFailed(request: request, error), to: number)
      }
    case .pushEnds(let number, let life, let request, let result):
      guard life == self.life(of: number) else { return }
      switch result {
      case .success(let answer): try deliver(.pushed(request: request, answer), to: number)
      case .failure(let error):
        try deliver(.pushFailed(request: request, error, freshClient: random.uuid()), to: number)
      }
    case .livePage(let number, let life, let stream, let page):
      guard life == self.life(of: number), replicas[number].stream?.number == stream else { return }
      try deliver(.livePage(stream: stream, try RemotePage(page)), to: number)
    case .liveEnds(let number, let life, let stream, let error):
      guard life == self.life(of: number) else { return }
      if replicas[number].stream?.number == stream { replicas[number].stream = nil }
      if error?.code == .forbidden { replicas[number].wasRevoked = true }
      try deliver(.liveEnded(stream: stream, error), to: number)
    case .liveRevoked(let number, let life, let stream):
      guard life == self.life(of: number) else { return }
      if replicas[number].stream?.number == stream { replicas[number].stream = nil }
      replicas[number].wasRevoked = true
      try deliver(.liveRevoked(stream: stream), to: number)
    case .merges(let number, let life, let task):
      guard life == self.life(of: number) else { return }
      try merge(task, number)
    }
  }

  private mutating func flush(_ device: Int, _ life: Int) throws {
    guard devices[device].life == life else { return }
    devices[device].isSaving = false
    for (number, ticket) in devices[device].disk.flush() {
      replicas[number].noteSaved(ticket)
      try deliver(.saved(ticket: ticket), to: number)
    }
    if isRollingBack && random.oneIn(40) {
      let numbers = devices[device].replicas
      devices[device].backUp(
        Dictionary(uniqueKeysWithValues: numbers.map { ($0, replicas[$0].durableEdit) }))
    }
    if devices[device].disk.isFull {
      if !isHostile || random.oneIn(3) { devices[device].disk.isFull = false }
      scheduleFlush(device)
    }
  }

  private mutating func merge(_ task: MergeTask, _ number: Int) throws {
    if isHostile && random.oneIn(10) {
      try deliver(.merged(task, .failed("not now")), to: number)
      return
    }
    let value =
      switch replicas[number].policy.kind {
      case .merge(let merge): try merge(task.input)
      case .rebase(let merge): isRemembered(task, by: number) ? task.input.local : try merge(task.input)
      case .serverWins: task.input.remote
      case .localWins: task.input.local
      }
    if let value { note(value, of: task.input.document, by: number) }
    try deliver(.merged(task, .value(try value.map { try StoredValue($0) })), to: number)
  }

  /// Whether the process still lives that made the edit: then its swap runs again, and assigns what it assigned.
  private func isRemembered(_ task: MergeTask, by number: Int) -> Bool {
    replicas[number].ledger.contains {
      $0.id == task.input.document && $0.edit == task.firstEdit && $0.life == life(of: number)
    }
  }

  func delayRange() -> ClosedRange<Int64> { isHostile ? 1...20 : 1...2 }

  mutating func delay() -> Int64 { Int64.random(in: delayRange(), using: &random) }
}

/// What a simulation found. The seed replays it.
public struct SimulationFailure: Error, Sendable, CustomStringConvertible {
  public var seed: UInt64
  /// The virtual time at which it was noticed.
  public var time: Int64
  public var message: String

  public var description: String { "seed \(seed), at \(time): \(message)" }
}

extension SeededRandom {
  mutating func uuid() -> UUID {
    let (high, low) = (next(), next())
    return withUnsafeBytes(of: (high, low)) { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
  }
}
