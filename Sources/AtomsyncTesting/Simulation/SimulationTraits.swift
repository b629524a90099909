internal import AtomsyncCore
internal import AtomsyncEngine

/// What kind of deployment a seed simulates, and what may go wrong in it.
struct SimulationTraits {
  /// How many servers share the store.
  let authorities: Int
  /// The encoding that messages pass through; `nil`: they are handed over as they are.
  let codec: TransitCodec?
  let hasUsers: Bool
  /// The rights of users change.
  let changesRights: Bool
  /// The server accepts no long values, and some are long.
  let isStrict: Bool
  /// Server stores go back to an earlier state.
  let restores: Bool
  /// Devices' stores are put back to an earlier state.
  let rollsBack: Bool
  /// Clocks are apart.
  private let skews: Bool
  /// Clocks jump.
  let clocksJump: Bool
  /// A device's or a server's store fails now and then.
  let disksFail: Bool
  private let linksDiffer: Bool
  /// Documents are sealed, with the ids hidden or not.
  let isSealed: Bool
  let hidesIDs: Bool
  /// Servers lie about sealed documents.
  let isTampering: Bool
  let serverLimits: Limits
  /// How long a server keeps tombstones, in milliseconds.
  let retention: Int64
  let clientRetention: Int64
  let retry: RetryPolicy

  /// A strict server accepts no larger values, in bytes.
  static let strictValueBytes = 100

  init(_ random: inout SeededRandom) {
    authorities = [1, 1, 2, 2, 3].randomElement(using: &random) ?? 1
    codec = random.oneIn(4) ? (random.oneIn(2) ? .transitMsgPack : .transitJSON) : nil
    hasUsers = random.oneIn(3)
    changesRights = random.oneIn(4)
    isStrict = random.oneIn(4)
    restores = random.oneIn(3)
    rollsBack = random.oneIn(8)
    skews = random.oneIn(2)
    clocksJump = random.oneIn(4)
    disksFail = random.oneIn(2)
    linksDiffer = random.oneIn(3)
    isSealed = random.oneIn(4)
    hidesIDs = isSealed && random.oneIn(2)
    isTampering = isSealed && random.oneIn(2)
    var limits = Limits()
    limits.pageDocuments = 3  // so that everything is paged
    if random.oneIn(4) { limits.pageBytes = 40 }
    if random.oneIn(4) { limits.documentsPerPush = Int.random(in: 1...3, using: &random) }
    if isStrict { limits.valueBytes = Self.strictValueBytes * (isSealed ? 2 : 1) }
    if random.oneIn(6) { limits.waitingPushes = 2 }
    serverLimits = limits
    retention = random.oneIn(2) ? 100_000_000 : Int64.random(in: 300...3000, using: &random)
    clientRetention = random.oneIn(4) ? 1000 : 1_000_000_000_000
    var retry = RetryPolicy()
    retry.initialDelay = .milliseconds(10)
    retry.maximumDelay = .milliseconds(80)
    retry.pollInterval = .milliseconds(50)
    retry.requestTimeout = .milliseconds(60)
    retry.steadyStream = .milliseconds(100)
    self.retry = retry
  }

  /// A push that arrives once more, much later, may find that the server has forgotten it.
  var recordsMayExpire: Bool { retention < 10_000 || skews || clocksJump }

  func clientLimits(_ random: inout SeededRandom) -> Limits {
    var limits = Limits()
    limits.pageDocuments = 3
    // An atomic swap is no larger than a push may be: the server's limit is known.
    limits.documentsPerPush = min(
      Int.random(in: 1...4, using: &random), random.oneIn(2) ? 4 : serverLimits.documentsPerPush)
    if random.oneIn(4) { limits.pushBytes = 30 }
    return limits
  }

  func link(_ random: inout SeededRandom) -> SimulatedLink {
    var link = SimulatedLink()
    guard linksDiffer else { return link }
    if random.oneIn(2) {
      link.rate = Int64.random(in: 2...20, using: &random)
      link.showsProgress = random.oneIn(2)
    }
    if random.oneIn(3) { link.bodyLimit = Int.random(in: 330...600, using: &random) + (isSealed ? 300 : 0) }
    return link
  }

  func skew(_ random: inout SeededRandom) -> Int64 {
    guard skews else { return 0 }
    return Self.skews.randomElement(using: &random) ?? 0
  }

  /// A little, an hour, a day and a half, years, both ways.
  static let skews: [Int64] = [
    0, 0, 40, -40, 700, -700, 3_600_000, -3_600_000, 130_000_000, -130_000_000, 2_000_000_000_000,
  ]
}
