internal import AtomsyncCore
internal import Foundation
internal import HashTreeCollections

extension ReplicaContent {
  // MARK: Freezing

  /// Freezes the next push, if there is something to push.
  ///
  /// - Parameter limits: what it may hold. A document alone, and documents that go together, may be larger.
  mutating func freeze(_ limits: (documents: Int, bytes: Int)) -> Bool {
    var entries: [FrozenPush.Entry] = []
    var taken: Set<String> = []
    var bytes = 0
    var isAtomic = false
    while let id = queue.first {
      guard let edit = documents[id]?.pending, edit.openConflict == nil, !taken.contains(id) else {
        queue.removeFirst()
        continue
      }
      if let group = edit.atomic {
        guard entries.isEmpty else { break }
        queue.removeFirst()
        let members = atomicGroups.documents(of: group)
        // One member in an open conflict holds the others: they are queued again once it is settled.
        guard members.allSatisfy({ documents[$0]?.pending?.openConflict == nil }) else { continue }
        entries = members.compactMap { id in documents[id]?.pending.map { entry(id, $0) } }
        isAtomic = true
        break
      }
      let size = edit.value?.byteCount ?? 0
      if !entries.isEmpty && (entries.count >= limits.documents || bytes + size > limits.bytes) { break }
      queue.removeFirst()
      taken.insert(id)
      entries.append(entry(id, edit))
      bytes += size
    }
    guard !entries.isEmpty else { return false }
    record.push += 1
    saveRecord()
    let push = FrozenPush(
      ticket: PushTicket(client: record.client, number: record.push), cursor: record.cursor,
      seen: record.seen, isAtomic: isAtomic, entries: entries)
    setInFlight(push)
    output.batch.put(settings.keys.inFlight, push.row)
    return true
  }

  private func entry(_ id: String, _ edit: PendingEdit) -> FrozenPush.Entry {
    FrozenPush.Entry(id: id, edit: edit.edit, version: edit.baseVersion, value: edit.value)
  }

  mutating func setInFlight(_ push: FrozenPush?) {
    inFlight = push
    inFlightEdits = [:]
    for entry in push?.entries ?? [] { inFlightEdits[entry.id] = entry.edit }
  }

  /// Takes the push in flight apart: the authority has said that it changed nothing, or will say so document by
  /// document, because every edit names the version that it was made on.
  ///
  /// - Parameter toEnd: its documents wait behind the others.
  mutating func dissolve(toEnd: Bool = false) {
    guard let push = inFlight else { return }
    // Refused or not: a duplicated request may still be applied later.
    for entry in push.entries { rememberSent(entry) }
    setInFlight(nil)
    output.batch.delete(settings.keys.inFlight)
    if toEnd {
      for entry in push.entries { queue.append(entry.id) }
    } else {
      queue.prepend(push.entries.map(\.id))
    }
  }

  /// The server may have this value by us: to meet it there is no conflict.
  private mutating func rememberSent(_ entry: FrozenPush.Entry) {
    guard var edit = documents[entry.id]?.pending, !edit.sent.contains(entry.value) else { return }
    edit.sent.append(entry.value)
    if edit.sent.count > Self.sentValues { edit.sent.removeFirst() }
    setPending(entry.id, edit)
  }

  /// How many values of a document are remembered that may have been accepted.
  private static var sentValues: Int { 8 }

  /// Takes another name, because the server knows a later push of this one.
  mutating func renewClient(_ client: UUID) {
    record.client = client
    record.push = 0
    saveRecord()
  }

  /// The push in flight is permanently rejected, as a whole.
  mutating func rejectPush(_ reason: String) {
    guard let push = inFlight else { return }
    dissolve()
    for entry in push.entries { reject(entry, .init(id: entry.id, reason: RejectionReason(reason))) }
  }

  // MARK: Verdicts

  /// What the verdicts on a push amount to.
  enum Settlement {
    /// The answer says nothing of some documents: the push is still in flight.
    case incomplete
    /// The push is settled.
    case settled(PushSize)
    /// The push is settled, and a verdict is among it that nothing here explains.
    case unexplained
    /// The push is settled, by a store whose history is not the one that it was made on.
    case reset
  }

  mutating func settle(_ answer: RemoteAnswer) -> Settlement {
    guard let push = inFlight else { return .incomplete }
    var accepted: [String: PushAnswer.Acceptance] = [:]
    for acceptance in answer.accepted { accepted[acceptance.id] = acceptance }
    var rejected: [String: PushAnswer.Rejection] = [:]
    for rejection in answer.rejected { rejected[rejection.id] = rejection }
    guard push.entries.allSatisfy({ accepted[$0.id] != nil || rejected[$0.id] != nil }) else {
      return .incomplete
    }
    let size = pushSize
    setInFlight(nil)
    output.batch.delete(settings.keys.inFlight)
    if answer.isReset {
      startOver()
    } else if let seen = answer.seen {
      record.seen = seen
    }
    var hasUnexplained = !push.entries.contains {
      accepted[$0.id] != nil || rejected[$0.id]?.reason != .aborted
    }
    var toRebase: Set<String> = []
    if push.isAtomic, answer.rejected.contains(where: { $0.reason == .invalid || $0.reason == .tooLarge }) {
      // One is permanently rejected, so all of them are.
      for entry in push.entries {
        reject(entry, rejected[entry.id] ?? .init(id: entry.id, reason: .aborted))
      }
      rejected = [:]
    }
    for entry in push.entries {
      if let acceptance = accepted[entry.id] {
        take(acceptance, of: entry, answer)
      } else if answer.isReset, rejected[entry.id]?.reason == .stale {
        rememberSent(entry)  // what is the base then decides
        queue.append(entry.id)
      } else if let rejection = rejected[entry.id] {
        switch take(rejection, of: entry, current: answer.current[entry.id]) {
        case .settled: break
        case .rebase: toRebase.insert(entry.id)
        case .again: queue.append(entry.id)
        case .unexplained:
          queue.append(entry.id)
          hasUnexplained = true
        }
      }
    }
    // Once the base is what the server said of all of them.
    for entry in push.entries where toRebase.contains(entry.id) {
      rememberSent(entry)  // or an earlier attempt of ours would be a conflict for the edits made since
      rebase(entry.id)
    }
    saveRecord()
    if answer.isReset { return .reset }
    return hasUnexplained ? .unexplained : .settled(size)
  }

  private mutating func take(
    _ acceptance: PushAnswer.Acceptance, of entry: FrozenPush.Entry, _ answer: RemoteAnswer
  ) {
    let id = entry.id
    takeBase(acceptance, of: entry, answer)
    overtakeRejection(of: id, by: entry.value)
    guard var edit = documents[id]?.pending else { return }
    if edit.edit == entry.edit {
      drop(id, .accepted(version: acceptance.version))
      return
    }
    // Edited while the push was under way: those edits are made on the version that was just accepted.
    settle(id, edit.firstEdit...entry.edit, .accepted(version: acceptance.version))
    edit.firstEdit = entry.edit + 1
    edit.made = now
    edit.sent = []
    edit.baseVersion = entry.value == nil ? 0 : acceptance.version
    edit.base = entry.value
    // A group that was made since the push was frozen still has to go together.
    if let group = edit.atomic, group <= entry.edit {
      leaveAtomicGroup(id, edit)
      edit.atomic = nil
    }
    setPending(id, edit)
    if edit.value == edit.base {
      drop(id, .accepted(version: acceptance.version))
    } else {
      queue.append(id)
    }
  }

  private mutating func takeBase(
    _ acceptance: PushAnswer.Acceptance, of entry: FrozenPush.Entry, _ answer: RemoteAnswer
  ) {
    // Versions of different histories do not compare.
    let known = answer.isReset ? nil : documents[entry.id]?.base?.version
    // A deletion of what the server does not know is accepted as version 0: gone, whatever was known of it, and no page
    // will tell of it.
    if entry.value == nil && acceptance.version == 0 {
      forgetBase(entry.id)
    } else if entry.value == nil || acceptance.version > known ?? -1 {
      setBase(
        entry.id,
        BaseDocument(
          version: max(acceptance.version, known ?? 0), updated: acceptance.updated,
          generation: verdictGeneration, value: entry.value,
          seal: entry.value == nil
            ? burial(of: entry.id) : answer.seals[entry.id]?.after(documents[entry.id]?.base?.seal)))
    }
  }

  /// What a verdict says in the middle of a reset still has to be named by its pages.
  var verdictGeneration: Int64 { record.generation - (record.isResetting ? 1 : 0) }

  enum Consequence { case settled, rebase, again, unexplained }

  private mutating func take(
    _ rejection: PushAnswer.Rejection, of entry: FrozenPush.Entry, current: RemotePage.Item?
  ) -> Consequence {
    switch rejection.reason {
    case .stale:
      guard let current else { return .unexplained }
      guard current.id == entry.id else { return take(current, inPlaceOf: entry) }
      let known = documents[entry.id]?.base
      guard current.version > known?.version ?? 0 else {
        // Nothing new to us: the edit was not on top of the base, or else the server was restored from a backup, and
        // a pull will explain.
        return entry.version == (known?.value == nil ? 0 : known?.version) ? .unexplained : .rebase
      }
      setBase(entry.id, base(of: examined(current, against: known), verdictGeneration))
      return .rebase
    case .aborted: return .again
    case .invalid, .tooLarge:
      reject(entry, rejection)
      return .settled
    default: return .unexplained
    }
  }

  // MARK: Permanent rejection

  /// Moves an edit that is permanently rejected out of the way of the others.
  private mutating func reject(_ entry: FrozenPush.Entry, _ rejection: PushAnswer.Rejection) {
    let (id, reason) = (entry.id, rejection.reason.text)
    if let edit = documents[id]?.pending, edit.isReseal {
      // Sealed, it is too large for the server: it stays as it is.
      seals.leave(id)
      drop(id, .accepted(version: edit.baseVersion))
      return
    }
    overtakeRejection(of: id, by: entry.value)
    let rejected = RejectedEdit(
      Rejection(
        document: id, reason: reason, message: rejection.message, value: entry.value?.value,
        detectedAt: .init(milliseconds: now)),
      entry.value)
    rejections[id] = rejected
    output.batch.put(settings.keys.rejected(id), rejected.row)
    guard var edit = documents[id]?.pending else { return }
    if edit.edit == entry.edit {
      drop(id, .rejected(reason: reason))
    } else {
      settle(id, edit.firstEdit...entry.edit, .rejected(reason: reason))
      edit.firstEdit = entry.edit + 1
      edit.made = now
      setPending(id, edit)
      queue.append(id)
    }
  }

  /// A later edit of the document takes the place of the rejected one, which is kept as what lost a conflict.
  private mutating func overtakeRejection(of id: String, by value: StoredValue?) {
    guard let rejected = rejections.removeValue(forKey: id) else { return }
    output.batch.delete(settings.keys.rejected(id))
    if rejected.value != value { reportOvertaken(rejected, by: value) }
  }

  mutating func discardRejection(_ rejection: Rejection) {
    let id = rejection.document
    guard rejections[id]?.rejection == rejection else { return }
    rejections[id] = nil
    output.batch.delete(settings.keys.rejected(id))
  }
}
