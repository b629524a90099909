internal import AtomsyncCore
internal import AtomsyncEngine

// Authorities: their turns, step by step, and what happens to their processes.

extension Simulation {
  /// Begins a turn, if there is something to do and nothing is being done.
  mutating func beginTurn(_ authority: Int) {
    guard authorities[authority].isUp, authorities[authority].turn == nil else { return }
    var random = random
    defer { self.random = random }
    guard let turn = authorities[authority].scheduler.next({ random.uuid() }) else { return }
    authorities[authority].turn = turn
    timeline.schedule(
      .turnReads(authority: authority, life: authorities[authority].life),
      after: Int64.random(in: 1...6, using: &random))
  }

  mutating func handleAuthority(_ event: Event) throws {
    switch event {
    case .turnReads(let authority, let life):
      if life == authorities[authority].life { try turnReads(authority) }
    case .turnReadsContents(let authority, let life):
      if life == authorities[authority].life { try turnReadsContents(authority) }
    case .turnCommits(let authority, let life):
      if life == authorities[authority].life { try turnCommits(authority) }
    case .wake(let authority, let life, let group):
      guard life == authorities[authority].life else { return }
      authorities[authority].scheduler.wake(group)
      beginTurn(authority)
    case .looksForOthers(let authority, let life):
      guard life == authorities[authority].life else { return }
      if authorities[authority].knownChanges != store.changes {
        authorities[authority].knownChanges = store.changes
        try offer(authority, groups: nil)
      }
      scheduleLook(authority)
    case .startAuthority(let authority):
      guard !authorities[authority].isUp else { return }
      authorities[authority].start(identity: store.identity, limits: traits.serverLimits)
      scheduleLook(authority)
    default: break
    }
  }

  mutating func scheduleLook(_ authority: Int) {
    timeline.schedule(
      .looksForOthers(authority: authority, life: authorities[authority].life), after: 25)
  }

  private mutating func turnReads(_ authority: Int) throws {
    guard var turn = authorities[authority].turn else { return }
    do {
      try failNowAndThen("a read failed")
      turn.judge(store.read(turn.query), now: clock(ofAuthority: authority))
    } catch let error as StorageError {
      try end(authority) { $0.end(turn, error, isInDoubt: false) }
      return
    }
    goOn(turn, of: authority)
  }

  /// The next step of a turn.
  private mutating func goOn(_ turn: Turn, of authority: Int) {
    authorities[authority].turn = turn
    let life = authorities[authority].life
    timeline.schedule(
      turn.contentQuery == nil
        ? .turnCommits(authority: authority, life: life)
        : .turnReadsContents(authority: authority, life: life),
      after: Int64.random(in: 1...6, using: &random))
  }

  private mutating func turnReadsContents(_ authority: Int) throws {
    guard var turn = authorities[authority].turn, let query = turn.contentQuery else { return }
    do {
      try failNowAndThen("a read failed")
    } catch let error as StorageError {
      try end(authority) { $0.end(turn, error, isInDoubt: false) }
      return
    }
    turn.finish(store.read(query))
    goOn(turn, of: authority)
  }

  private mutating func failNowAndThen(_ message: String) throws {
    if isHostile && traits.disksFail && random.oneIn(30) { throw StorageError(.failed, message) }
  }

  /// A commit: done, failed before or after a part, done without anybody knowing, or the last thing that the process did.
  private mutating func turnCommits(_ authority: Int) throws {
    guard var turn = authorities[authority].turn else { return }
    let batches = turn.batches
    var outcomes: [StorageOutcome] = []
    if !batches.isEmpty {
      let isFailing = isHostile && traits.disksFail && random.oneIn(15)
      let count = isFailing ? Int.random(in: 0...batches.count, using: &random) : batches.count
      let answers = turn.answers
      let before = store
      outcomes = try store.commit(Array(batches.prefix(count)))
      try checkCommit(answers, authority, since: before)
      if isFailing {
        try end(authority) {
          $0.end(turn, StorageError(.failed, "the outcome is unknown"), isInDoubt: true)
        }
        return
      }
      if isHostile && random.oneIn(60) {
        crash(authority)
        return
      }
    }
    turn.committed(outcomes)
    try end(authority) { $0.end(turn) }
  }

  private mutating func end(_ authority: Int, _ body: (inout PushScheduler) -> PushScheduler.Ended) throws {
    let ended = body(&authorities[authority].scheduler)
    authorities[authority].turn = nil
    for (id, result) in ended.results {
      guard let push = authorities[authority].pushes.removeValue(forKey: id) else { continue }
      if case .answer(let answer) = result { try checkVerdicts(push.push, answer) }
      guard push.isAnswered else { continue }
      switch result {
      case .answer(let answer): self.answer(push.sender, push: push.request, .success(answer))
      case .done: break
      case .failure(let error):
        let error =
          (error as? ProtocolError).map { TransportError($0) }
          ?? TransportError(.unavailable, "the store failed")
        self.answer(push.sender, push: push.request, .failure(error))
      }
    }
    if !ended.written.isEmpty { try offer(authority, groups: Set(ended.written)) }
    for (group, losses) in ended.resting {
      timeline.schedule(
        .wake(authority: authority, life: authorities[authority].life, group: group),
        after: Int64.random(in: 1...Int64(2 + min(losses, 6) * 3), using: &random))
    }
    beginTurn(authority)
  }

  // MARK: What happens to the processes

  mutating func crash(_ authority: Int) {
    let error = random.oneIn(2) ? TransportError(.unreachable, "cut") : TransportError(.timedOut, "silence")
    cutStreams(authority, error)
    // Those who wait for an answer hear of it, or wait for their deadline.
    for (_, push) in authorities[authority].pushes.sorted(by: { $0.key < $1.key })
    where push.isAnswered && random.oneIn(2) {
      answer(push.sender, push: push.request, .failure(TransportError(.unreachable, "cut")))
    }
    authorities[authority].crash()
    timeline.schedule(.startAuthority(authority), after: delay() * 2)
  }

  /// Removes what an authority takes for old, by its own clock.
  mutating func purge(_ authority: Int) throws {
    guard authorities[authority].isUp else { return }
    let dates = PurgeDates(now: clock(ofAuthority: authority), retention: traits.retention)
    for group in Self.groups {
      let head = try GroupHead(store.read(StorageQuery(keys: [AuthorityKey.head(group)])).values.first ?? nil)
      var search = PurgeBoundary(group: group, head: head, dates)
      while let query = search.query { try search.advance(store.read(query)) }
      if let boundary = search.boundary, boundary > 0 {
        let work = PurgeWork(group: group, boundary: boundary, dates, entries: 3)
        _ = authorities[authority].scheduler.admit(work)
      }
    }
    let rows = store.read(StorageQuery(scans: PurgeDates.datedRows.map { StorageScan($0) }))
    for entry in rows.scans.flatMap(\.entries) {
      if let batch = try dates.removal(of: entry) { _ = try store.commit([batch]) }
    }
    beginTurn(authority)
  }

  /// The store goes back to an earlier state, mostly while no server runs.
  mutating func restore() throws {
    let isUnderServers = random.oneIn(4)
    for authority in authorities.indices where authorities[authority].isUp && !isUnderServers {
      crash(authority)
    }
    if random.oneIn(2) {
      try store.losePower(Int.random(in: 1...4, using: &random))
      wasRestored = true
    } else if try store.restore(identity: random.oneIn(4) && !isUnderServers ? random.uuid() : nil) {
      wasRestored = true
    }
    trace?("\(timeline.now) the store has gone back")
  }
}
