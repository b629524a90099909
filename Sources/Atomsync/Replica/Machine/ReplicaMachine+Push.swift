internal import AtomsyncCore
internal import Foundation
internal import HashTreeCollections

extension ReplicaMachine {
  // MARK: Freezing

  /// Freezes the next push, if there is something to push.
  mutating func freeze() -> Bool {
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
        let members = (atomicGroups[group] ?? [id]).sorted()
        // One member in an open conflict holds the others: they are queued again once it is settled.
        guard members.allSatisfy({ documents[$0]?.pending?.openConflict == nil }) else { continue }
        entries = members.compactMap { id in documents[id]?.pending.map { entry(id, $0) } }
        isAtomic = true
        break
      }
      let size = edit.value?.payload.bytes.count ?? 0
      if !entries.isEmpty && (entries.count >= pushLimit || bytes + size > settings.pushBytes) { break }
      queue.removeFirst()
      taken.insert(id)
      entries.append(entry(id, edit))
      bytes += size
    }
    guard !entries.isEmpty else { return false }
    record.push += 1
    saveRecord()
    setInFlight(
      FrozenPush(
        ticket: PushTicket(client: record.client, number: record.push), cursor: record.cursor,
        isAtomic: isAtomic, entries: entries))
    if let inFlight, !settings.faults.contains(.pushNotFrozen) {
      effects.batch.put(settings.keys.inFlight, inFlight.row)
    }
    activity = .freezing(ticket: currentTicket)
    return true
  }

  private func entry(_ id: String, _ edit: PendingEdit) -> FrozenPush.Entry {
    FrozenPush.Entry(id: id, edit: edit.edit, version: edit.baseVersion, value: edit.value)
  }

  /// Takes the push in flight apart: the authority has said that it changed nothing, or will say so document by
  /// document, because every edit names the version that it was made on.
  private mutating func dissolve() {
    guard let push = inFlight else { return }
    // Refused or not: a network that doubles requests may bring it there yet.
    for entry in push.entries { rememberSent(entry) }
    setInFlight(nil)
    effects.batch.delete(settings.keys.inFlight)
    queue.prepend(push.entries.map(\.id))
  }

  /// The server may have this value by us: to meet it there is no conflict.
  private mutating func rememberSent(_ entry: FrozenPush.Entry) {
    guard var edit = documents[entry.id]?.pending, !edit.sent.contains(entry.value) else { return }
    edit.sent.append(entry.value)
    if edit.sent.count > Self.sentValues { edit.sent.removeFirst() }
    setPending(entry.id, edit)
  }

  /// How many values of a document are remembered that may have been taken.
  private static var sentValues: Int { 8 }

  mutating func send() {
    guard let inFlight else { return }
    let request = nextNumber()
    activity = .pushing(request: request)
    effects.actions.append(
      .push(request: request, inFlight.request(group: settings.group, user: record.user)))
  }

  // MARK: Verdicts

  mutating func pushed(_ request: Int, _ answer: PushAnswer, _ now: Int64) {
    guard activity == .pushing(request: request), let push = inFlight else { return }
    activity = .idle
    var accepted: [String: PushAnswer.Acceptance] = [:]
    for acceptance in answer.accepted { accepted[acceptance.id] = acceptance }
    var rejected: [String: PushAnswer.Rejection] = [:]
    for rejection in answer.rejected { rejected[rejection.id] = rejection }
    guard push.entries.allSatisfy({ accepted[$0.id] != nil || rejected[$0.id] != nil }) else {
      fail(.init(TransportError(.malformedAnswer, "The server's answer has no verdict on some documents.")))
      return
    }
    setInFlight(nil)
    effects.batch.delete(settings.keys.inFlight)
    lastPush = now
    refusals = 0
    var isPuzzled = !push.entries.contains { accepted[$0.id] != nil || rejected[$0.id]?.reason != .aborted }
    var toRebase: Set<String> = []
    if push.isAtomic, answer.rejected.contains(where: { $0.reason == .invalid || $0.reason == .tooLarge }) {
      // One can never go, so none of them may.
      for entry in push.entries { reject(entry, rejected[entry.id]?.reason.text ?? "aborted", now) }
      rejected = [:]
    }
    for entry in push.entries {
      if let acceptance = accepted[entry.id] {
        take(acceptance, of: entry, now)
      } else if let rejection = rejected[entry.id] {
        switch take(rejection, of: entry, now) {
        case .settled: break
        case .rebase: toRebase.insert(entry.id)
        case .again: queue.append(entry.id)
        case .puzzled:
          queue.append(entry.id)
          isPuzzled = true
        }
      }
    }
    // Once the base is what the server said of all of them.
    for entry in push.entries where toRebase.contains(entry.id) {
      rememberSent(entry)  // or an earlier attempt of ours would be a conflict for the edits made since
      rebase(entry.id, now)
    }
    saveRecord()
    if isPuzzled {
      // Something that only a pull can explain, or that only time can mend.
      needsPull = true
      fail(
        .init(TransportError(.unavailable, "The server did not take some documents. They are sent again.")))
    } else {
      attempt = 0
      pushLimit = min(settings.documentsPerPush, pushLimit * 2)
    }
  }

  private mutating func take(
    _ acceptance: PushAnswer.Acceptance, of entry: FrozenPush.Entry, _ now: Int64
  ) {
    let id = entry.id
    let known = documents[id]?.base?.version
    // A deletion of what the server has forgotten is accepted as version 0: gone, whatever we knew of it.
    if entry.value == nil || acceptance.version > known ?? -1 {
      setBase(
        id,
        BaseDocument(
          version: max(acceptance.version, known ?? 0), updated: acceptance.updated,
          generation: verdictGeneration,
          value: entry.value))
    }
    overtakeRejection(of: id, by: entry.value, now)
    guard var edit = documents[id]?.pending else { return }
    if edit.edit == entry.edit || settings.faults.contains(.acknowledgementClearsNewerEdit) {
      drop(id, .accepted(version: acceptance.version), now)
      return
    }
    // Edited while the push was under way: those edits are made on the version that was just accepted.
    settle(id, edit.firstEdit...entry.edit, .accepted(version: acceptance.version), now)
    edit.firstEdit = entry.edit + 1
    edit.made = now
    edit.sent = []
    if !settings.faults.contains(.baseVersionNotRaised) {
      edit.baseVersion = entry.value == nil ? 0 : acceptance.version
      edit.base = entry.value
    }
    // A group that was made since the push was frozen still has to go together.
    if let group = edit.atomic, group <= entry.edit {
      leaveAtomicGroup(id, edit)
      edit.atomic = nil
    }
    setPending(id, edit)
    if edit.value == edit.base {
      drop(id, .accepted(version: acceptance.version), now)
    } else {
      queue.append(id)
    }
  }

  /// What a verdict says in the middle of a reset still has to be named by its pages.
  private var verdictGeneration: Int64 { record.generation - (record.isResetting ? 1 : 0) }

  private enum Consequence { case settled, rebase, again, puzzled }

  private mutating func take(
    _ rejection: PushAnswer.Rejection, of entry: FrozenPush.Entry, _ now: Int64
  ) -> Consequence {
    switch rejection.reason {
    case .stale:
      guard let current = rejection.current else { return .puzzled }
      let known = documents[entry.id]?.base
      guard current.version > known?.version ?? 0 else {
        // Nothing new to us: the edit was not on top of the base, or else the server was restored from a backup, and
        // a pull will explain.
        return entry.version == (known?.value == nil ? 0 : known?.version) ? .puzzled : .rebase
      }
      let remote: StoredValue?
      do { remote = try current.content.payload.map { try StoredValue($0) } } catch { return .puzzled }
      setBase(
        entry.id,
        BaseDocument(
          version: current.version, updated: current.updated, generation: verdictGeneration, value: remote))
      return .rebase
    case .aborted: return .again
    case .invalid, .tooLarge:
      reject(entry, rejection.reason.text, now)
      return .settled
    default: return .puzzled
    }
  }

  /// Moves an edit that can never go out of the way.
  private mutating func reject(_ entry: FrozenPush.Entry, _ reason: String, _ now: Int64) {
    let id = entry.id
    overtakeRejection(of: id, by: entry.value, now)
    let rejected = RejectedEdit(
      Rejection(document: id, reason: reason, value: entry.value?.value, noticed: now), entry.value)
    rejections[id] = rejected
    effects.batch.put(settings.keys.rejected(id), rejected.row)
    guard var edit = documents[id]?.pending else { return }
    if edit.edit == entry.edit {
      drop(id, .rejected(reason: reason), now)
    } else {
      settle(id, edit.firstEdit...entry.edit, .rejected(reason: reason), now)
      edit.firstEdit = entry.edit + 1
      edit.made = now
      setPending(id, edit)
      queue.append(id)
    }
  }

  /// A later edit of the document takes the place of the rejected one, which is kept as what lost a conflict.
  private mutating func overtakeRejection(of id: String, by value: StoredValue?, _ now: Int64) {
    guard let rejected = rejections.removeValue(forKey: id) else { return }
    effects.batch.delete(settings.keys.rejected(id))
    if rejected.value != value { reportOvertaken(rejected, by: value, now) }
  }

  mutating func discardRejection(_ rejection: Rejection) {
    let id = rejection.document
    guard end == nil, rejections[id]?.rejection == rejection else { return }
    rejections[id] = nil
    effects.batch.delete(settings.keys.rejected(id))
  }

  // MARK: Failure

  mutating func pushFailed(_ request: Int, _ error: TransportError, _ client: UUID, _ now: Int64) {
    guard activity == .pushing(request: request), let push = inFlight else { return }
    activity = .idle
    switch error.code {
    case .stalePush:
      record.client = client
      record.push = 0
      dissolve()
      saveRecord()
      needsPull = true
    case .tooLarge, .refused:
      dissolve()
      if push.isAtomic || push.entries.count == 1 {
        let reason = error.code == .tooLarge ? RejectionReason.tooLarge.text : error.cause ?? "refused"
        for entry in push.entries { reject(entry, reason, now) }
      } else {
        pushLimit = max(1, push.entries.count / 2)
      }
    case .forbidden:
      dissolve()
      refusePushes(.init(error))
    default:
      fail(.init(error))
    }
  }

  /// Reading goes on, and pushing is tried again after a while.
  private mutating func refusePushes(_ error: SyncError) {
    pushRefusal = error
    refusals += 1
    let timer = nextNumber()
    refusalTimer = timer
    effects.actions.append(.backOff(timer: timer, attempt: refusals, retryAfter: error.transport?.retryAfter))
    endPass(error)
  }
}
