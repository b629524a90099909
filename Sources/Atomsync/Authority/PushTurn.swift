package import AtomsyncCore
package import Foundation

/// Some pushes judged together, as a pure function of one snapshot: each sees the effects of those before it, and
/// all of them become one storage commit.
///
/// Every batch has the group's head, as it was read, for a precondition. So if another process has written the
/// group meanwhile, nothing of this turn is applied to it, and the pushes are judged again.
package struct PushTurn {
  /// What a push came to.
  package enum Judgement {
    /// The answer, once the batch is committed. The values of stale documents are filled in by ``finish``.
    case answer(PushAnswer, StorageBatch)
    /// The answer was given before: nothing to write.
    case replay(PushAnswer)
    case refused(ErrorBody)
  }

  package let pushes: [PushRequest]
  let now: Int64
  private let identity: UUID
  private let limits: Limits
  private let faults: PlantedFaults
  private var heads: [String: (stored: [UInt8]?, head: GroupHead)] = [:]
  private var documents: [[UInt8]: DocumentIndex] = [:]
  private var records: [[UInt8]: PushRecord] = [:]
  /// What this turn puts into the change index.
  private var written: [[UInt8]: Content] = [:]
  /// Where the content of each version that was answered as stale lies in the change index.
  private var sources: [VersionKey: [UInt8]] = [:]

  private struct VersionKey: Hashable {
    var document: [UInt8]
    var version: Int64
  }

  package init(
    _ pushes: [PushRequest], identity: UUID, now: Int64, limits: Limits, faults: PlantedFaults = []
  ) {
    self.identity = identity
    self.pushes = pushes
    self.now = now
    self.limits = limits
    self.faults = faults
  }

  // MARK: What to read

  /// The heads, documents and push records that the pushes name.
  package var query: StorageQuery {
    var keys: [[UInt8]] = []
    for push in pushes {
      keys.append(AuthorityKey.head(push.group))
      if let ticket = push.ticket { keys.append(AuthorityKey.push(push.group, ticket.client)) }
      for edit in push.edits { keys.append(AuthorityKey.document(push.group, edit.id)) }
    }
    return StorageQuery(keys: keys)
  }

  private mutating func take(_ snapshot: StorageSnapshot) throws {
    var values = snapshot.values.makeIterator()
    func next() -> [UInt8]? { values.next() ?? nil }
    for push in pushes {
      let head = next()
      heads[push.group] = (head, try GroupHead(head))
      if let ticket = push.ticket, let record = next() {
        records[AuthorityKey.push(push.group, ticket.client)] = try PushRecord(record)
      }
      for edit in push.edits {
        if let index = next() {
          documents[AuthorityKey.document(push.group, edit.id)] = try DocumentIndex(index)
        }
      }
    }
  }

  // MARK: Judging

  /// One judgement for each push, in order.
  package mutating func judge(_ snapshot: StorageSnapshot) throws -> [Judgement] {
    try take(snapshot)
    return pushes.map { judge($0) }
  }

  private mutating func judge(_ push: PushRequest) -> Judgement {
    let recordKey = push.ticket.map { AuthorityKey.push(push.group, $0.client) }
    if let ticket = push.ticket, let recordKey, let record = records[recordKey] {
      let isLast = ticket.number == record.number
      if isLast && (record.digest ?? push.digest) == push.digest {
        return .replay(replay(record, group: push.group))
      }
      if isLast || ticket.number < record.number {
        // A client that was put back to an earlier state gives its numbers once more.
        let problem = isLast ? "was another push" : "is behind push \(record.number)"
        return .refused(
          ErrorBody(
            .stalePush, "Push \(ticket.number) \(problem) of this client. Take a new client id."))
      }
    }
    let isKnown = knows(push)
    let verdicts = push.edits.map { verdict(on: $0, of: push.group, isKnown) }
    let isSpoiled = push.isAtomic && verdicts.contains { $0 != nil }
    var answer = PushAnswer(group: push.group, accepted: [], rejected: [], now: now)
    let (stored, head) = heads[push.group] ?? (nil, GroupHead())
    var batch = StorageBatch(preconditions: [
      stored.map { .equals(AuthorityKey.head(push.group), $0) } ?? .absent(AuthorityKey.head(push.group))
    ])
    var advanced = head
    for (edit, reason) in zip(push.edits, verdicts) {
      if let reason {
        answer.rejected.append(rejection(of: edit.id, reason, group: push.group))
      } else if isSpoiled {
        answer.rejected.append(.init(id: edit.id, reason: .aborted))
      } else {
        answer.accepted.append(apply(edit, group: push.group, head: &advanced, batch: &batch))
      }
    }
    if advanced != head {
      batch.put(AuthorityKey.head(push.group), advanced.bytes)
      heads[push.group] = (advanced.bytes, advanced)
    }
    if let ticket = push.ticket, let recordKey, !faults.contains(.verdictNotStored) {
      let record = PushRecord(number: ticket.number, digest: push.digest, answer: answer)
      records[recordKey] = record
      batch.put(recordKey, record.bytes)
    }
    return .answer(answer, batch)
  }

  /// Whether the versions that the push names are this store's own. Those of a store that was since restored from a
  /// backup may name other values here.
  private func knows(_ push: PushRequest) -> Bool {
    guard let cursor = push.cursor else { return true }
    guard let known = AuthorityCursor(cursor) else { return false }
    let counter = heads[push.group]?.head.counter ?? 0
    return known.identity == identity && known.group == push.group
      && max(known.sequence, known.began) <= counter
  }

  /// Why `edit` cannot be taken; `nil` when it can.
  private func verdict(on edit: Edit, of group: String, _ isKnown: Bool) -> RejectionReason? {
    if Names.problem(id: edit.id) != nil || edit.version < 0 { return .invalid }
    if edit.content.byteCount > limits.valueBytes { return .tooLarge }
    guard let index = documents[AuthorityKey.document(group, edit.id)] else {
      return edit.version == 0 || edit.content == .deleted ? nil : .stale
    }
    if index.isDeleted && (edit.version == 0 || edit.content == .deleted) { return nil }
    return edit.version == index.version && isKnown ? nil : .stale
  }

  private mutating func apply(
    _ edit: Edit, group: String, head: inout GroupHead, batch: inout StorageBatch
  ) -> PushAnswer.Acceptance {
    let key = AuthorityKey.document(group, edit.id)
    let old = documents[key]
    if edit.content == .deleted && old?.isDeleted ?? true {  // changes nothing
      return .init(id: edit.id, version: old?.version ?? 0, updated: old?.updated ?? now)
    }
    head.counter += 1
    head.updated = max(head.updated, now)
    let document = Document(
      id: edit.id, version: (old?.version ?? head.floor) + 1, updated: head.updated, content: edit.content)
    let index = DocumentIndex(
      sequence: head.counter, version: document.version, updated: document.updated,
      isDeleted: edit.content == .deleted)
    if let old { batch.delete(AuthorityKey.change(group, old.sequence)) }
    batch.put(AuthorityKey.change(group, index.sequence), document.changeBytes)
    batch.put(key, index.bytes)
    documents[key] = index
    written[AuthorityKey.change(group, index.sequence)] = edit.content
    return .init(id: edit.id, version: document.version, updated: document.updated)
  }

  private mutating func replay(_ record: PushRecord, group: String) -> PushAnswer {
    PushAnswer(
      group: group, accepted: record.accepted,
      rejected: record.rejected.map { rejection(of: $0.id, $0.reason, group: group) }, now: now)
  }

  /// A stale document's value is read later: here it is marked as deleted.
  private mutating func rejection(
    of id: String, _ reason: RejectionReason, group: String
  ) -> PushAnswer.Rejection {
    guard reason == .stale else { return .init(id: id, reason: reason) }
    let key = AuthorityKey.document(group, id)
    let index = documents[key]
    if let index, !index.isDeleted {
      sources[VersionKey(document: key, version: index.version)] = AuthorityKey.change(group, index.sequence)
    }
    return .init(
      id: id, reason: reason,
      current: Document(
        id: id, version: index?.version ?? 0, updated: index?.updated ?? now, content: .deleted))
  }

  // MARK: The values of stale documents

  /// The changes to read for the answers' stale documents that this turn did not write itself.
  package func staleQuery(for judgements: [Judgement]) -> StorageQuery {
    StorageQuery(keys: staleKeys(judgements).filter { written[$0] == nil })
  }

  /// The judgements with the values of stale documents; `nil` when one is gone, because another process wrote.
  package func finish(_ judgements: [Judgement], _ snapshot: StorageSnapshot) throws -> [Judgement]? {
    var contents = written
    for (key, value) in zip(staleQuery(for: judgements).keys, snapshot.values) {
      guard let value else { return nil }
      contents[key] = try Document(change: value).content
    }
    return judgements.map { judgement in
      switch judgement {
      case .answer(let answer, let batch): .answer(filled(answer, contents), batch)
      case .replay(let answer): .replay(filled(answer, contents))
      case .refused: judgement
      }
    }
  }

  private func staleKeys(_ judgements: [Judgement]) -> [[UInt8]] {
    judgements.flatMap { judgement -> [[UInt8]] in
      switch judgement {
      case .answer(let answer, _), .replay(let answer):
        answer.rejected.compactMap { staleKey($0, answer.group) }
      case .refused: []
      }
    }
  }

  private func staleKey(_ rejection: PushAnswer.Rejection, _ group: String) -> [UInt8]? {
    rejection.current.flatMap {
      sources[VersionKey(document: AuthorityKey.document(group, $0.id), version: $0.version)]
    }
  }

  private func filled(_ answer: PushAnswer, _ contents: [[UInt8]: Content]) -> PushAnswer {
    var answer = answer
    for position in answer.rejected.indices {
      guard let key = staleKey(answer.rejected[position], answer.group), let content = contents[key] else {
        continue
      }
      answer.rejected[position].current?.content = content
    }
    return answer
  }
}
