internal import AtomsyncCore
internal import AtomsyncEngine
internal import Transit

// What must hold in the end, and of receipts.

extension Simulation {
  /// Who does not agree with the server, if anybody.
  func disagreement() throws -> String? {
    var live: [String: [String: TransitValue]] = [:]
    for group in Self.groups { live[group] = try store.live(group).mapValues { try StoredValue($0).value } }
    for replica in replicas {
      if let problem = disagreement(of: replica, with: live[replica.group] ?? [:]) {
        return "replica \(replica.number) \(problem) (\(replica.machine.phase.rawValue))"
      }
      if replica.machine.savedTicket != replica.machine.lastTicket {
        return "replica \(replica.number) is saving"
      }
    }
    for group in Self.groups {
      let shown = (follower.views[group]?.documents ?? [:]).compactMapValues(\.content.payload)
      let ids = Set(shown.keys).union(store.live(group).keys).filter { shown[$0] != store.live(group)[$0] }
      if !ids.isEmpty { return "the follower of \(group) does not agree on \(ids.sorted())" }
    }
    return nil
  }

  private func disagreement(
    of replica: SimulatedReplica, with live: [String: TransitValue]
  ) -> String? {
    let machine = replica.machine
    let pending = machine.pendingIDs
    // What is held up holds up those that have to go with it.
    if !pending.isEmpty, !pending.contains(where: { isHeldUp($0, replica) }) {
      return "has \(pending) pending"
    }
    let visible = machine.values
    if visible == live { return nil }
    let ids = Set(visible.keys).union(live.keys).filter {
      visible[$0] != live[$0] && !hasNoticed($0, replica)
    }
    .sorted()
    if ids.isEmpty { return nil }
    return "does not agree on "
      + ids.map { "\($0) (\(visible[$0]?.description ?? "-") and \(live[$0]?.description ?? "-"))" }
      .joined(separator: ", ")
  }

  /// Whether an edit waits for the application, which cannot merge it with what the server shows.
  func isHeldUp(_ id: String, _ replica: SimulatedReplica) -> Bool {
    guard replica.deceived.contains(id), case .some(.some(let remote)) = replica.pending[id]?.openRemote
    else {
      return false
    }
    return UnopenedDocument(remote) != nil
  }

  /// Whether the replica says of a document that the server has lied about it.
  private func hasNoticed(_ id: String, _ replica: SimulatedReplica) -> Bool {
    let machine = replica.machine
    let isDeceived = replica.deceived.contains(id)
    if machine.pendingIDs.contains(id) { return true }
    let unopenedID = (try? sealing.unopenedID(id, replica.group)) ?? id
    let value = machine.value(of: id) ?? machine.value(of: unopenedID)
    if let unopened = value.flatMap({ UnopenedDocument($0) }) {
      return isDeceived || unopened.isForged
    }
    return isDeceived
      && machine.conflictsOf(id).contains { $0.outcome == .rolledBack }
  }

  /// Everybody agrees; what else must be true.
  mutating func checkTheEnd() throws {
    for number in replicas.indices {
      let replica = replicas[number]
      let durable = devices[replica.device].disk.durable
      let (reopened, _) = try replica.opened(
        durable, client: random.uuid(), now: clock(ofDevice: replica.device))
      if reopened.values != replica.machine.values || reopened.pendingIDs != replica.machine.pendingIDs {
        throw Violation("Replica \(number) is another one after it was opened again.")
      }
      if let violation = reopened.violatedInvariant {
        throw Violation("Replica \(number), opened: \(violation)")
      }
      let orphans = reopened.orphans(among: replica.rows(durable))
      if !orphans.isEmpty { throw Violation("Replica \(number) has rows that nothing owns: \(orphans)") }
      try checkNothingLost(replica, durable)
      try checkReceipts(number)
    }
    let problems = store.audit()
    if !problems.isEmpty { throw Violation("The store: \(problems.joined(separator: "; "))") }
    for group in Self.groups { try checkReading(group) }
  }

  /// What the store holds is what its history says.
  private func checkReading(_ group: String) throws {
    var documents: [String: Payload] = [:]
    var request = PullRequest(group: group)
    while true {
      var plan = PullPlan(request, identity: store.identity, limit: 3, byteLimit: 1000)
      var page: PullPage?
      while page == nil { page = try plan.advance(store.read(plan.query), now: 0) }
      guard let page = page.map({ sealing.revealed($0) }) else { return }
      for document in page.documents { documents[document.id] = document.content.payload }
      if !page.hasMore { break }
      request.start = .cursor(page.cursor)
    }
    if documents != store.live(group) {
      throw Violation("A first pull of \(group) does not tell what is there.")
    }
  }

  /// Every edit whose durability was acknowledged has a verdict that is true.
  private func checkNothingLost(_ replica: SimulatedReplica, _ durable: OrderedBytes) throws {
    guard traits.clientRetention > 1_000_000 else { return }  // verdicts are forgotten here
    for edit in replica.ledger where !edit.isLost && edit.edit <= replica.durableEdit {
      // What waits for the application, which cannot merge it with what the server shows, has no verdict yet.
      if let pending = replica.pending[edit.id], (pending.first...pending.last).contains(edit.edit) {
        continue
      }
      guard let verdict = try replica.verdict(on: edit.edit, of: edit.id, durable) else {
        throw Violation("Replica \(replica.number): nothing is known of edit \(edit.edit) of \(edit.id).")
      }
      switch verdict {
      case .superseded(let number):
        guard replica.machine.conflictsOf(edit.id).contains(where: { $0.id == number }) else {
          throw Violation("Replica \(replica.number): conflict \(number) of \(edit.id) is not kept.")
        }
      case .discarded:
        if !edit.isDiscarded {
          throw Violation(
            "Replica \(replica.number): edit \(edit.edit) of \(edit.id) was discarded by nobody.")
        }
      case .rejected:
        // What a later edit took the place of is another matter, and so is what was discarded or retried.
        guard edit.edit == replica.ledger.last(where: { $0.id == edit.id })?.edit,
          !replica.discardedRejections.contains(edit.id)
        else { break }
        let isKept = replica.machine.rejection(of: edit.id).map { $0.value == edit.value } ?? false
        // A merge may have replaced the value before: then a conflict has it.
        guard isKept || replica.machine.conflictsOf(edit.id).contains(where: { $0.local == edit.value })
        else {
          throw Violation("Replica \(replica.number): the rejected \(edit.id) is not kept.")
        }
      case .accepted(let version):
        guard version > 0 else { break }
        let document = SimulatedStore.DocumentKey(group: replica.group, id: edit.id)
        let isThere = (store.last(document)?.version ?? 0) >= version
        let wasTakenBack = store.takenBack.contains { $0.document == document && $0.version == version }
        if !isThere && !wasTakenBack {
          throw Violation(
            "Replica \(replica.number): \(edit.id) was accepted as version \(version), and the server does not have it."
          )
        }
      }
    }
  }

  /// What an application was told of an edit is what it is told when it asks again.
  func checkReceipts(_ number: Int) throws {
    guard traits.clientRetention > 1_000_000 else { return }
    let replica = replicas[number]
    let durable = devices[replica.device].disk.durable
    for (key, told) in replica.told {
      let verdict = try replica.verdict(on: key.edit, of: key.id, durable)
      if verdict != told {
        throw Violation(
          "Replica \(number): the verdict on edit \(key.edit) of \(key.id) was \(told), and is "
            + "\(verdict.map { "\($0)" } ?? "unknown").")
      }
    }
  }
}
