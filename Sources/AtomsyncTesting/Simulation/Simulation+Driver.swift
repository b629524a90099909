internal import AtomsyncCore
internal import AtomsyncEngine
internal import Transit

// The part that a driver has beside a machine: it runs actions, and tells what came of them.

extension Simulation {
  mutating func deliver(_ event: ReplicaEvent, to number: Int) throws {
    let effects = replicas[number].machine.handle(event, now: clock(ofDevice: replicas[number].device))
    trace?("\(timeline.now) replica \(number): \(event)\n    \(replicas[number].machine.summary)")
    try perform(effects, by: number, because: event)
  }

  mutating func perform(_ effects: ReplicaEffects, by number: Int, because event: ReplicaEvent?) throws {
    // What changed each time, all of it now and then: that costs as much as everything else.
    checks += 1
    let machine = replicas[number].machine
    let violation =
      checks % 16 == 0 ? machine.violatedInvariant : machine.violatedInvariant(in: effects.changed)
    if let violation { throw Violation("Replica \(number): \(violation)") }
    if let ticket = effects.ticket {
      devices[replicas[number].device].disk.enqueue(effects.batch, ticket, of: number)
      scheduleFlush(replicas[number].device)
      for settled in effects.settled { replicas[number].untold.append((ticket, settled)) }
    }
    try check(effects, of: number, because: event)
    for action in effects.actions { try perform(action, by: number) }
    let timers = replicas[number].machine.timers
    if timers != replicas[number].timers {
      throw Violation("Replica \(number) waits for \(timers), and \(replicas[number].timers) run.")
    }
  }

  private mutating func perform(_ action: ReplicaEffects.Action, by number: Int) throws {
    let life = life(of: number)
    switch action {
    case .pull(let request, let message):
      replicas[number].requests.insert(request)
      sendPull(number, request, message)
    case .push(let request, let message):
      replicas[number].requests.insert(request)
      notePush(message.request, of: number)
      let push = try replicas[number].edge.seal(message)
      replicas[number].sealedPushes[request] = push
      sendPush(number, request, push.request)
    case .abandon(let request):
      // The task is cancelled; its answer may still be on its way to the machine.
      if !random.oneIn(3) { replicas[number].requests.remove(request) }
    case .openLive(let stream, let message):
      replicas[number].wantedStream = stream
      sendLive(sender(number), stream, [message])
    case .closeLive(let stream):
      if replicas[number].wantedStream == stream { replicas[number].wantedStream = nil }
      drop(streamsOf: sender(number))
    case .readOn(let stream): readOn(sender(number), stream)
    case .startTimer(let timer, let wait):
      replicas[number].timers[timer.kind] = timer.number
      let duration = traits.retry.duration(of: wait, random: Double.random(in: 0..<1, using: &random))
      timeline.schedule(.timer(number, life: life, timer), after: duration.wholeMilliseconds)
    case .cancelTimer(let kind): replicas[number].timers[kind] = nil
    case .merge(let task): timeline.schedule(.merges(number, life: life, task), after: delay())
    case .passEnded, .firstAttemptEnded: break
    }
  }

  /// A wait is over, unless it was cancelled or replaced.
  mutating func fire(_ timer: ReplicaTimer, of number: Int, _ life: Int) throws {
    guard life == self.life(of: number), replicas[number].timers[timer.kind] == timer.number else { return }
    replicas[number].timers[timer.kind] = nil
    try deliver(.timer(timer), to: number)
  }

  // MARK: The disk

  mutating func scheduleFlush(_ device: Int) {
    guard !devices[device].isSaving else { return }
    devices[device].isSaving = true
    timeline.schedule(.flush(device: device, life: devices[device].life), after: delay() / 2)
  }

  mutating func flush(_ device: Int, _ life: Int) throws {
    guard devices[device].life == life else { return }
    devices[device].isSaving = false
    if isHostile && traits.disksFail && random.oneIn(12) {
      // In part, or in whole and not known to be: the queue tries all of it again.
      devices[device].disk.fail(&random)
      scheduleFlush(device)
      return
    }
    for (number, ticket) in devices[device].disk.flush() {
      try deliver(.saved(ticket: ticket), to: number)
      replicas[number].noteSaved(ticket)
    }
    if traits.rollsBack && random.oneIn(40) {
      let numbers = devices[device].replicas
      devices[device].backUp(
        Dictionary(uniqueKeysWithValues: numbers.map { ($0, replicas[$0].durableEdit) }))
    }
    if devices[device].disk.isFull {
      if !isHostile || random.oneIn(3) { devices[device].disk.isFull = false }
      scheduleFlush(device)
    }
  }

  // MARK: The process

  /// The process dies and another takes its place.
  mutating func restart(_ device: Int) throws {
    let isRollback = traits.rollsBack && isHostile && random.oneIn(3) && devices[device].rollBack()
    if !isRollback { devices[device].crash(&random) }
    for number in devices[device].replicas where isRollback {
      try replicas[number].rollBack(
        to: devices[device].backup?.edits[number] ?? 0, devices[device].disk.durable)
    }
    for number in devices[device].replicas { replicas[number].pending = [:] }
    trace?("\(timeline.now) device \(device) \(isRollback ? "is put back" : "dies")")
    devices[device].isDown = true
    drop(streamsOfDevice: device)
    if isHostile && traits.disksFail && random.oneIn(8) {
      // The store cannot be read at the moment: the application tries again.
      timeline.schedule(.start(device: device, life: devices[device].life), after: delay())
    } else {
      try start(device)
    }
  }

  mutating func start(_ device: Int) throws {
    devices[device].isDown = false
    for number in devices[device].replicas {
      if isHostile && random.oneIn(4) {
        replicas[number].policy = policies.randomElement(using: &random) ?? .serverWins
      }
      // The newer keys reach one device after another.
      let hasBoth = replicas[number].ring == .both || !isHostile || random.oneIn(3)
      let effects = try replicas[number].restart(
        devices[device].disk.durable, client: random.uuid(), now: clock(ofDevice: device),
        hasBoth ? .both : .first)
      replicas[number].pending = pendingViews(of: number)
      trace?("\(timeline.now) replica \(number) starts\n    \(replicas[number].machine.summary)")
      try perform(effects, by: number, because: nil)
      try checkReceipts(number)
      try deliver(.expire, to: number)
      try deliver(.connect, to: number)
    }
  }

  func pendingViews(of number: Int) -> [String: ReplicaMachine.PendingView] {
    let machine = replicas[number].machine
    return machine.pendingIDs.reduce(into: [:]) { $0[$1] = machine.pendingView(of: $1) }
  }

  // MARK: The application's merge

  mutating func merge(_ task: MergeTask, _ number: Int) throws {
    if isHostile && random.oneIn(10) || UnopenedDocument(task.input.remote ?? .null) != nil {
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

  mutating func note(_ value: TransitValue, of id: String, by number: Int) {
    written[.init(group: replicas[number].group, id: id), default: []].insert(value)
  }

  /// Remembers what a push was made on, when it is first sent.
  private mutating func notePush(_ push: PushRequest, of number: Int) {
    let key = SimulatedReplica.PushKey(push)
    replicas[number].lastPush = key
    guard replicas[number].pushes[key] == nil else { return }
    var edits: [String: SimulatedReplica.PushedEdit] = [:]
    for edit in push.edits {
      let view = replicas[number].machine.pendingView(of: edit.id)
      edits[edit.id] = .init(
        base: view?.base, value: edit.content.payload.flatMap { try? StoredValue($0).value })
    }
    replicas[number].pushes[key] = edits
  }
}

extension Duration {
  var wholeMilliseconds: Int64 {
    components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
  }
}
