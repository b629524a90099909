internal import AtomsyncCore
internal import AtomsyncEngine
internal import HashTreeCollections
internal import Transit

extension Simulation {
  /// One thing that an application or the environment does; after the last, everything heals.
  mutating func act(_ stepsLeft: Int) throws {
    guard stepsLeft > 0 else {
      try heal()
      return
    }
    let number = Int.random(in: replicas.indices, using: &random)
    let device = replicas[number].device
    if devices[device].isDown {
      // Nobody uses an application that is not running.
    } else if random.oneIn(5) {
      try disturb()
    } else {
      try use(number)
    }
    timeline.schedule(.act(stepsLeft: stepsLeft - 1), after: Int64.random(in: 0...30, using: &random))
  }

  /// What an application does.
  private mutating func use(_ number: Int) throws {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<68: try write(number)
    case 68..<73: try restart(replicas[number].device)
    case 73..<77: try deliver(.disconnect, to: number)
    case 77..<84: try deliver(.connect, to: number)
    case 84..<88: try deliver(.sync, to: number)
    case 88..<90: try deliver(.resync(discardingPending: false), to: number)
    case 90: try discardPending(number)
    case 91..<93: try retry(number)
    case 93: try discardRejection(number)
    case 94..<96: try recover(number)
    case 96..<98: try checkReceipts(number)
    default: try deliver(.expire, to: number)
    }
  }

  /// What the environment does.
  private mutating func disturb() throws {
    let device = Int.random(in: devices.indices, using: &random)
    let authority = Int.random(in: authorities.indices, using: &random)
    switch Int.random(in: 0..<24, using: &random) {
    case 0..<3: devices[device].disk.isFull = true
    case 3..<6: cutStreams(authority, random.oneIn(2) ? nil : TransportError(.timedOut, "silence"))
    case 6..<9: try purge(authority)
    case 9..<11: if authorities[authority].isUp { crash(authority) }
    case 11..<13: if traits.restores && random.oneIn(3) { store.makeBackup() }
    case 13: if traits.restores && random.oneIn(2) { try restore() }
    case 14..<17: changeRights(device)
    case 17: if traits.hasUsers && !traits.rollsBack && random.oneIn(4) { try takeStrangersToken(device) }
    case 18:
      if traits.clocksJump {
        devices[device].skew += SimulationTraits.skews.randomElement(using: &random) ?? 0
      }
    case 19:
      if traits.clocksJump {
        authorities[authority].skew = SimulationTraits.skews.randomElement(using: &random) ?? 0
      }
    default: break  // let time pass
    }
  }

  // MARK: Writing

  /// A swap of one to three documents.
  private mutating func write(_ number: Int) throws {
    var changes: [(id: String, value: TransitValue?)] = []
    for _ in 0..<(random.oneIn(4) ? Int.random(in: 2...3, using: &random) : 1) {
      let id = Self.id(Int.random(in: 0..<Self.documents, using: &random))
      guard !changes.contains(where: { $0.id == id }) else { continue }
      var value = self.value(for: id, by: number)
      // What cannot be opened can be removed, and not be written over.
      if replicas[number].machine.value(of: id).flatMap({ UnopenedDocument($0) }) != nil { value = nil }
      if replicas[number].machine.value(of: id) != value { changes.append((id, value)) }
    }
    try swap(changes, isAtomic: random.oneIn(3), by: number)
  }

  /// A new value, mostly; or a deletion, or what was there before the last swap.
  private mutating func value(for id: String, by number: Int) -> TransitValue? {
    if random.oneIn(10), let before = replicas[number].before[id] {
      if let before { rewritten.insert(before) }
      return before
    }
    if random.oneIn(5) { return nil }
    counter += 1
    return traits.isStrict && ownValues == nil && random.oneIn(12)
      ? .string("r\(number).\(counter)" + String(repeating: "x", count: SimulationTraits.strictValueBytes))
      : makeValue(&random, counter)
  }

  mutating func swap(
    _ changes: [(id: String, value: TransitValue?)], isAtomic: Bool, by number: Int
  ) throws {
    // What stands for a document that cannot be opened is nobody's value.
    let changes = changes.filter { UnopenedDocument($0.value ?? .null) == nil }
    let before = changes.map { replicas[number].machine.value(of: $0.id) }
    let edits = try changes.map { (id: $0.id, value: try $0.value.map { try StoredValue($0) }) }
    let effects: ReplicaEffects
    // More than can go together: the application is told, and nothing was changed.
    do {
      effects = try replicas[number].machine.edit(
        edits, isAtomic: isAtomic, now: clock(ofDevice: replicas[number].device))
    } catch { return }
    if let edit = effects.edit {
      if replicas[number].ledger.contains(where: { $0.edit == edit }) {
        throw Violation("Replica \(number) has given the number \(edit) to two edits.")
      }
      for ((id, value), before) in zip(changes, before) where effects.edited.contains(id) {
        replicas[number].ledger.append(.init(edit: edit, id: id, value: value, life: life(of: number)))
        replicas[number].before[id] = .some(before)
        if let value {
          note(value, of: id, by: number)
          authors[value] = authors[value] ?? number
        }
      }
      if isAtomic { replicas[number].together.add(edit, effects.edited) }
      if let ticket = effects.ticket { replicas[number].noteTicket(ticket, edit: edit) }
    }
    trace?("\(timeline.now) replica \(number) swaps \(changes)\n    \(replicas[number].machine.summary)")
    try perform(effects, by: number, because: nil)
  }

  // MARK: What lost, and what was rejected

  private mutating func discardPending(_ number: Int) throws {
    guard random.oneIn(3) else { return }
    let pending = replicas[number].pending
    for index in replicas[number].ledger.indices where !replicas[number].ledger[index].isLost {
      let edit = replicas[number].ledger[index]
      if let view = pending[edit.id], (view.first...view.last).contains(edit.edit) {
        replicas[number].ledger[index].isDiscarded = true
      }
    }
    try deliver(.resync(discardingPending: true), to: number)
  }

  private mutating func retry(_ number: Int) throws {
    guard let rejection = replicas[number].machine.rejections.randomElement(using: &random) else { return }
    if let value = rejection.value { rewritten.insert(value) }
    replicas[number].discardedRejections.insert(rejection.document)
    try swap([(rejection.document, rejection.value)], isAtomic: false, by: number)
    try deliver(.discardRejection(rejection), to: number)
  }

  private mutating func discardRejection(_ number: Int) throws {
    guard let rejection = replicas[number].machine.rejections.randomElement(using: &random) else { return }
    replicas[number].discardedRejections.insert(rejection.document)
    try deliver(.discardRejection(rejection), to: number)
  }

  private mutating func recover(_ number: Int) throws {
    guard let conflict = replicas[number].machine.conflicts.randomElement(using: &random) else { return }
    let lost = conflict.outcome == .localWon ? conflict.remote : conflict.local
    if let lost { rewritten.insert(lost) }
    try swap([(conflict.document, lost)], isAtomic: false, by: number)
  }

  // MARK: Rights and users

  private mutating func changeRights(_ device: Int) {
    guard traits.changesRights else { return }
    let name = rightsName(ofDevice: device)
    let group = Self.groups.randomElement(using: &random) ?? Self.groups[0]
    rights[name, default: [:]][group] =
      random.oneIn(2) ? nil : (random.oneIn(2) ? Right.none : Right.read)
  }

  /// The device bears the token of another user for a while.
  private mutating func takeStrangersToken(_ device: Int) throws {
    // The first page binds an atom to its user, once it is durable.
    let areBound = devices[device].replicas.allSatisfy {
      replicas[$0].machine.status().hasSynced && replicas[$0].machine.status().unsavedCount == 0
    }
    guard areBound else { return }
    devices[device].strangersToken = devices[device].strangersToken == nil ? "user\((device + 1) % 3)" : nil
    drop(streamsOfDevice: device)
    try restart(device)
  }

  // MARK: The end

  /// The network and the disks become kind, and everybody comes back.
  private mutating func heal() throws {
    isHostile = false
    healed = timeline.now
    rights = [:]
    for authority in authorities.indices where !authorities[authority].isUp {
      timeline.schedule(.startAuthority(authority), after: 1)
    }
    for device in devices.indices {
      devices[device].disk.isFull = false
      let wasStranger = devices[device].strangersToken != nil
      devices[device].strangersToken = nil
      // What has stopped is opened again by its application.
      let hasStopped = devices[device].replicas.contains { replicas[$0].machine.phase == .stopped }
      let isWithoutKey =
        traits.isSealed && devices[device].replicas.contains { replicas[$0].ring != .both }
      if wasStranger || hasStopped || isWithoutKey || devices[device].isDown { try restart(device) }
    }
    for number in replicas.indices {
      // Some have to find out by themselves that they can get on.
      if replicas[number].machine.phase == .offline || random.oneIn(2) {
        try deliver(.disconnect, to: number)
        try deliver(.connect, to: number)
        if random.oneIn(2) { try deliver(.sync, to: number) }
      }
    }
    timeline.schedule(.looksWhetherAtRest, after: 50)
  }

  /// Whether everybody agrees by now. They have some time for it.
  mutating func lookWhetherAtRest() throws {
    for number in replicas.indices {
      // A merge that failed waits for a change: make one.
      for conflict in replicas[number].machine.openConflictIDs where !isHeldUp(conflict, replicas[number]) {
        counter += 1
        try swap([(conflict, makeValue(&random, counter))], isAtomic: false, by: number)
      }
    }
    if try disagreement() == nil {
      timeline.removeAll()
      return
    }
    // Sealed messages are longer, and links may be slow.
    let patience = traits.isSealed ? 2 * Self.patience : Self.patience
    guard let healed, timeline.now - healed < patience else {
      throw Violation("They do not come together: \(try disagreement() ?? "")")
    }
    timeline.schedule(.looksWhetherAtRest, after: 50)
  }

  /// How long they may take to agree once the network is kind, in milliseconds.
  private static let patience: Int64 = 6000
}
