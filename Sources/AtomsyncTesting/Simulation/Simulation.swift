internal import AtomsyncCore
public import AtomsyncEngine
internal import Foundation
public import Transit

/// Some replicas, authorities on one store, and a hostile network in virtual time, driven by one seed, and an oracle that
/// holds them to the promise: no write is ever lost silently, and everybody who can talk agrees.
///
/// Two to eight devices with one or two atoms each share two groups. The replicas are the real state machine, the
/// authorities the real scheduler, turns and pages; only time, disks and the network are simulated. The same seed and
/// options replay exactly. Give it your own merge function to test that:
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
  var ownValues: (@Sendable (inout SeededRandom, Int) -> TransitValue)?
  /// Called with each event and what it led to, for reading how a seed failed.
  public var trace: (@Sendable (String) -> Void)?

  let seed: UInt64
  static let groups = ["simulated", "other"]
  /// How many documents each group has.
  static let documents = 6
  static func id(_ number: Int) -> String { "d\(number)" }
  let policies: [ConflictPolicy]
  let traits: SimulationTraits
  var random: SeededRandom
  var timeline = Timeline<Event>()
  var store: SimulatedStore
  var authorities: [SimulatedAuthority] = []
  var devices: [SimulatedDevice] = []
  /// The replicas of all devices, one for each atom.
  var replicas: [SimulatedReplica] = []
  var follower: SimulatedFollower
  let sealing: SimulatedSealing
  /// What each user may do in each group; nobody is listed who may do everything.
  var rights: [String: [String: Right]] = [:]
  var isHostile = true
  /// When the network healed.
  var healed: Int64?
  var counter = 0
  var checks = 0
  var wasRestored = false
  /// What was accepted of each push that was judged.
  var verdicts: [SimulatedReplica.PushKey: Set<String>] = [:]
  var written: [SimulatedStore.DocumentKey: Set<TransitValue>] = [:]
  /// Who wrote a value first.
  var authors: [TransitValue: Int] = [:]
  /// The values that were written more than once.
  var rewritten: Set<TransitValue> = []

  enum Right { case none, read, write }

  enum Event {
    case act(stepsLeft: Int)
    // Devices.
    case flush(device: Int, life: Int)
    case start(device: Int, life: Int)
    case timer(Int, life: Int, ReplicaTimer)
    case progress(Int, life: Int, request: Int)
    case merges(Int, life: Int, MergeTask)
    // Messages to an authority, and to a replica.
    case pullArrives(SimulatedAuthority.Sender, authority: Int, request: Int, PullRequest)
    case pullReads(SimulatedAuthority.Sender, authority: Int, life: Int, request: Int, PullPlan)
    case pushArrives(SimulatedAuthority.Sender, authority: Int, request: Int, PushRequest, isAnswered: Bool)
    case pullEnds(SimulatedAuthority.Sender, request: Int, Result<PullPage, TransportError>)
    case pushEnds(SimulatedAuthority.Sender, request: Int, Result<PushAnswer, TransportError>)
    // Live streams.
    case liveArrives(SimulatedAuthority.Sender, authority: Int, stream: Int, [PullRequest])
    case liveReads(SimulatedAuthority.Sender, authority: Int, life: Int, stream: Int)
    case livePage(SimulatedAuthority.Sender, authority: Int, stream: Int, PullPage)
    case liveEnds(SimulatedAuthority.Sender, stream: Int, TransportError?)
    case liveRevoked(SimulatedAuthority.Sender, stream: Int)
    // Authorities.
    case turnReads(authority: Int, life: Int)
    case turnReadsContents(authority: Int, life: Int)
    case turnCommits(authority: Int, life: Int)
    case wake(authority: Int, life: Int, group: String)
    case looksForOthers(authority: Int, life: Int)
    case startAuthority(Int)
    // Others.
    case follow
    case looksWhetherAtRest
  }

  /// - Parameters:
  ///   - seed: decides everything.
  ///   - policies: each replica takes one of them, by chance.
  public init(seed: UInt64, policies: [ConflictPolicy] = Simulation.allPolicies) {
    self.seed = seed
    self.policies = policies
    var random = SeededRandom(seed: seed)
    traits = SimulationTraits(&random)
    sealing = SimulatedSealing(traits, groups: Self.groups, &random)
    store = SimulatedStore(identity: random.uuid(), sealing)
    follower = SimulatedFollower(client: random.uuid())
    for number in 0..<traits.authorities {
      var authority = SimulatedAuthority(
        number: number, identity: store.identity, limits: traits.serverLimits)
      authority.skew = traits.skew(&random)
      authorities.append(authority)
    }
    for device in 0..<Int.random(in: 2...8, using: &random) {
      let first = replicas.count
      for group in Self.groups.prefix(random.oneIn(3) ? 2 : 1) {
        replicas.append(
          SimulatedReplica(
            number: replicas.count, device: device, group: group,
            policy: policies.randomElement(using: &random) ?? .serverWins,
            limits: traits.clientLimits(&random),
            retention: traits.clientRetention, client: random.uuid(), sealing: sealing))
      }
      var made = SimulatedDevice(
        replicas: Array(first..<replicas.count), user: traits.hasUsers ? "user\(device % 3)" : nil,
        link: traits.link(&random))
      made.skew = traits.skew(&random)
      devices.append(made)
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
      timeline.schedule(.act(stepsLeft: steps), after: 0)
      timeline.schedule(.follow, after: 1)
      for authority in authorities.indices { scheduleLook(authority) }
      for number in replicas.indices { try deliver(.connect, to: number) }
      var events = 0
      while let event = timeline.next() {
        events += 1
        if events > 60_000 { throw Violation("It does not come to rest.") }
        try handle(event)
      }
      try checkTheEnd()
    } catch {
      let message = (error as? Violation)?.message ?? "\(error)"
      throw SimulationFailure(seed: seed, time: timeline.now, message: message)
    }
  }

  mutating func handle(_ event: Event) throws {
    switch event {
    case .act(let left): try act(left)
    case .flush(let device, let life): try flush(device, life)
    case .start(let device, let life): if devices[device].life == life { try start(device) }
    case .timer(let number, let life, let timer): try fire(timer, of: number, life)
    case .progress(let number, let life, let request):
      guard life == self.life(of: number), replicas[number].requests.contains(request) else { return }
      try deliver(.progressed(request: request), to: number)
    case .merges(let number, let life, let task): if life == self.life(of: number) { try merge(task, number) }
    case .pullArrives, .pullReads, .pushArrives: try arrive(event)
    case .pullEnds(let sender, let request, let result): try pullEnds(sender, request, result)
    case .pushEnds(let sender, let request, let result): try pushEnds(sender, request, result)
    case .liveArrives, .liveReads, .livePage, .liveEnds, .liveRevoked: try handleLive(event)
    case .turnReads, .turnReadsContents, .turnCommits, .wake, .looksForOthers, .startAuthority:
      try handleAuthority(event)
    case .follow: try follow()
    case .looksWhetherAtRest: try lookWhetherAtRest()
    }
  }

  // MARK: Time

  /// The clocks begin somewhere in 2026.
  private static let epoch: Int64 = 1_790_000_000_000

  func clock(ofDevice device: Int) -> Int64 { Self.epoch + timeline.now + devices[device].skew }
  func clock(ofAuthority authority: Int) -> Int64 { Self.epoch + timeline.now + authorities[authority].skew }

  mutating func delay() -> Int64 { Int64.random(in: isHostile ? 1...20 : 1...2, using: &random) }

  func life(of number: Int) -> Int { devices[replicas[number].device].life }

  func sender(_ number: Int) -> SimulatedAuthority.Sender { .replica(number, life: life(of: number)) }

  /// The replica that a message is for, if it is still alive.
  func replica(_ sender: SimulatedAuthority.Sender) -> Int? {
    guard case .replica(let number, let life) = sender, life == self.life(of: number) else { return nil }
    return number
  }
}

/// What a simulation found. The seed replays it.
public struct SimulationFailure: Error, Sendable, CustomStringConvertible {
  /// The seed that replays it, with the same options.
  public var seed: UInt64
  /// The virtual time at which it was noticed.
  public var time: Int64
  /// What went wrong.
  public var message: String

  /// The seed, the time and the message.
  public var description: String { "seed \(seed), at \(time): \(message)" }
}

extension SeededRandom {
  mutating func uuid() -> UUID {
    let (high, low) = (next(), next())
    return withUnsafeBytes(of: (high, low)) { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
  }
}
