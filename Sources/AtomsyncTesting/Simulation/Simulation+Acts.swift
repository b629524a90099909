internal import Atomsync
internal import AtomsyncCore
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
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<62: try write(number)
    case 62..<68: try restart(replicas[number].device)
    case 68..<72: try deliver(.disconnect, to: number)
    case 72..<80: try deliver(.connect, to: number)
    case 80..<83: cutStream(number, random.oneIn(2) ? nil : TransportError(.timedOut, "silence"))
    case 83: revoke(number)
    case 84..<87: try deliver(.sync, to: number)
    case 87..<90: devices[replicas[number].device].disk.isFull = true
    case 90..<92: cutStreams()
    case 92..<95: try server.purge(replicas[number].group)
    case 95: server.makeDump()
    case 96: restore()
    case 97: try deliver(.reset(keepPending: true), to: number)
    default: break  // let time pass
    }
    timeline.schedule(.act(stepsLeft: stepsLeft - 1), after: Int64.random(in: 0...30, using: &random))
  }

  private mutating func restore() {
    guard !wasRestored, random.oneIn(2), server.restore(identity: random.uuid()) else { return }
    wasRestored = true
    earlier = nil
    cutStreams()
  }

  private mutating func restart(_ device: Int) throws {
    let isRollback = isRollingBack && random.oneIn(3) && devices[device].rollBack()
    if !isRollback { devices[device].crash(&random) }
    for number in devices[device].replicas {
      if isRollback { replicas[number].rollBack(to: devices[device].backup?.edits[number] ?? 0) }
      if random.oneIn(4) { replicas[number].policy = policies.randomElement(using: &random) ?? .serverWins }
      let effects = try replicas[number].restart(
        devices[device].disk.durable, client: random.uuid(), now: timeline.now)
      try perform(effects, by: number)
      try deliver(.connect, to: number)
    }
  }

  /// The permission to read is withdrawn for a moment: the live stream ends with the news.
  private mutating func revoke(_ number: Int) {
    guard isRevoking, let stream = replicas[number].stream else { return }
    replicas[number].stream?.isDead = true
    timeline.schedule(.liveRevoked(number, life: life(of: number), stream: stream.number), after: delay())
  }

  /// A swap of one to three documents.
  private mutating func write(_ number: Int) throws {
    var changes: [(id: String, value: TransitValue?)] = []
    for _ in 0..<(random.oneIn(4) ? Int.random(in: 2...3, using: &random) : 1) {
      let id = "d\(Int.random(in: 0..<6, using: &random))"
      guard !changes.contains(where: { $0.id == id }) else { continue }
      let value = self.value(for: id, by: number)
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
    return isStrict && random.oneIn(12)
      ? .string("r\(number).\(counter)" + String(repeating: "x", count: SimulatedServer.strictValueBytes))
      : makeValue(&random, counter)
  }

  private mutating func swap(
    _ changes: [(id: String, value: TransitValue?)], isAtomic: Bool, by number: Int
  ) throws {
    let before = changes.map { replicas[number].machine.value(of: $0.id) }
    let edits = try changes.map { (id: $0.id, value: try $0.value.map { try StoredValue($0) }) }
    let effects: ReplicaEffects
    // More than can go together: the application is told, and nothing was changed.
    do { effects = try replicas[number].machine.edit(edits, isAtomic: isAtomic, now: timeline.now) } catch {
      return
    }
    if let edit = effects.edit {
      for ((id, value), before) in zip(changes, before) {
        replicas[number].ledger.append(
          .init(edit: edit, id: id, value: value, life: life(of: number)))
        replicas[number].before[id] = .some(before)
        if let value {
          note(value, of: id, by: number)
          authors[value] = number
        }
      }
      if isAtomic { replicas[number].together.add(edit, Set(changes.map(\.id))) }
      if let ticket = effects.ticket { replicas[number].noteTicket(ticket, edit: edit) }
    }
    try perform(effects, by: number)
  }

  /// The network and the disks become kind, and everybody comes back.
  private mutating func heal() throws {
    isHostile = false
    earlier = nil
    cutStreams()
    for number in replicas.indices {
      try deliver(.disconnect, to: number)
      try deliver(.connect, to: number)
      // A merge that failed waits for a change: make one.
      for conflict in replicas[number].machine.openConflictIDs {
        counter += 1
        try swap([(conflict, makeValue(&random, counter))], isAtomic: false, by: number)
      }
      try deliver(.sync, to: number)
    }
  }
}
