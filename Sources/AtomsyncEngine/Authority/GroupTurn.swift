package import AtomsyncCore
package import Foundation

/// What a push came to.
package enum Judgement {
  /// The answer, once the batch is committed. The values of stale documents are filled in by ``GroupWork/finish(_:)``.
  case answer(PushAnswer)
  case refused(ProtocolError)
  /// The store contradicts itself where the push looks.
  case failed(StorageError)
}

/// Pushes to one group that are judged together, as a pure function of one snapshot: each sees the effects of those
/// before it, and all of them are one batch.
///
/// The batch has the group's head, as it was read, for a precondition, and the records of the clients. So if another
/// authority has written the group meanwhile, nothing of the turn is applied and no verdict of it holds: the pushes are
/// judged again, all of them.
package struct GroupTurn: GroupWork {
  package let group: String
  package let pushes: [PushRequest]
  /// For each push the documents that the application refuses, with its words.
  private let refusals: [[String: String]]
  /// One judgement for each push, in order.
  package private(set) var judgements: [Judgement] = []
  private var batch = StorageBatch()

  // What to read. Several pushes may name the same.
  private let documentKeys: [[UInt8]]
  private let recordKeys: [[UInt8]]
  private let epochs: [UUID]

  // What was read, and what the pushes judged so far made of it.
  private var storedHead: [UInt8]?
  private var history: GroupHistory
  private var head = GroupHead()
  private var documents: [ByteKey: DocumentIndex] = [:]
  private var storedRecords: [[UInt8]: [UInt8]] = [:]
  private var records: [[UInt8]: PushRecord] = [:]
  /// The records that this turn writes.
  private var judgedRecords: Set<[UInt8]> = []
  /// What this turn puts into the change index, by key.
  private var written: [ByteKey: Content] = [:]
  /// The changes whose content the answers show and the snapshot did not tell.
  private var shown = StaleContents(byteLimit: 0)
  private var sources: [VersionKey: [UInt8]] = [:]
  /// The rows that cannot be read.
  private var unreadable: [[UInt8]: StorageError] = [:]

  private struct VersionKey: Hashable {
    var id: String
    var version: Int64
  }

  package init(group: String, pushes: [PushRequest], refusals: [[String: String]], identity: UUID) {
    self.group = group
    self.pushes = pushes
    self.refusals = refusals
    history = GroupHistory(head: GroupHead(), identity: identity)
    var (documents, records, epochs) = (Set<ByteKey>(), Set<ByteKey>(), Set<UUID>())
    var (documentKeys, recordKeys, epochList) = ([[UInt8]](), [[UInt8]](), [UUID]())
    for push in pushes {
      if let ticket = push.ticket {
        let key = AuthorityKey.push(group, ticket.client, user: push.user)
        if records.insert(ByteKey(key)).inserted { recordKeys.append(key) }
      }
      for edit in push.edits where Names.problem(id: edit.id) == nil {
        let key = AuthorityKey.document(group, edit.id)
        if documents.insert(ByteKey(key)).inserted { documentKeys.append(key) }
      }
      for cursor in [push.cursor, push.seen] {
        guard let epoch = cursor.flatMap({ AuthorityCursor($0) })?.place.epoch else { continue }
        if epochs.insert(epoch).inserted { epochList.append(epoch) }
      }
    }
    self.documentKeys = documentKeys
    self.recordKeys = recordKeys
    self.epochs = epochList
  }

  // MARK: Judging

  /// What ``judge(_:_:)`` needs to know.
  package var query: StorageQuery {
    StorageQuery(
      keys: [AuthorityKey.head(group)] + epochs.map { AuthorityKey.epochEnd(group, $0) } + recordKeys
        + documentKeys)
  }

  /// Judges every push.
  ///
  /// - Throws: `StorageError` when the group's rows cannot be read: no push to it can be judged.
  package mutating func judge(_ snapshot: StorageSnapshot, _ context: TurnContext) throws {
    try take(snapshot.values, context)
    shown = StaleContents(byteLimit: context.limits.pageBytes)
    judgements = zip(pushes, refusals).map { judge($0, refusing: $1, context) }
    if head != history.head { batch.put(AuthorityKey.head(group), head.bytes) }
    for key in recordKeys where judgedRecords.contains(key) {
      guard let record = records[key] else { continue }
      batch.preconditions.append(storedRecords[key].map { .equals(key, $0) } ?? .absent(key))
      batch.put(key, record.bytes)
    }
    if !batch.writes.isEmpty { batch.preconditions.insert(GroupHead.isUnchanged(group, storedHead), at: 0) }
  }

  private mutating func take(_ values: [[UInt8]?], _ context: TurnContext) throws {
    var values = values.makeIterator()
    func next() -> [UInt8]? { values.next() ?? nil }
    storedHead = next()
    head = try GroupHead(storedHead)
    history = GroupHistory(head: head, identity: context.identity)
    head.claim = nil  // it is this authority's turn now
    for epoch in epochs { try history.addEnd(of: epoch, next()) }
    for key in recordKeys {
      guard let row = next() else { continue }
      storedRecords[key] = row
      do { records[key] = try PushRecord(row) } catch let error as StorageError { unreadable[key] = error }
    }
    for key in documentKeys {
      guard let row = next() else { continue }
      do { documents[ByteKey(key)] = try DocumentIndex(row) } catch let error as StorageError {
        unreadable[key] = error
      }
    }
  }

  private mutating func judge(
    _ push: PushRequest, refusing refusals: [String: String], _ context: TurnContext
  ) -> Judgement {
    let recordKey = push.ticket.map { AuthorityKey.push(group, $0.client, user: push.user) }
    if let error = unreadable(push, recordKey) { return .failed(error) }
    let digest = push.digest
    if let ticket = push.ticket, let recordKey, let record = records[recordKey] {
      let isLast = ticket.number == record.number
      if isLast && record.digest == digest { return .answer(replay(record, push, context)) }
      if isLast || ticket.number < record.number {
        // A client that was put back to an earlier state gives its numbers once more.
        let problem = isLast ? "was another push" : "is behind push \(record.number)"
        return .refused(
          ProtocolError(
            .stalePush, "Push \(ticket.number) \(problem) of this client. Take a new client id."))
      }
    }
    let isKnown = knows(push)
    let reasons = push.edits.map { edit in
      refusals[edit.id] == nil ? reason(against: edit, isKnown, context.limits) : .invalid
    }
    let isSpoiled = push.isAtomic && reasons.contains { $0 != nil }
    var answer = PushAnswer(group: group, accepted: [], rejected: [], now: context.now)
    for (edit, reason) in zip(push.edits, reasons) {
      if let reason {
        answer.rejected.append(rejection(of: edit.id, reason, refusals[edit.id], context))
      } else if isSpoiled {
        answer.rejected.append(.init(id: edit.id, reason: .aborted))
      } else {
        answer.accepted.append(accept(edit, context))
      }
    }
    tell(&answer, isKnown, context)
    if let ticket = push.ticket, let recordKey {
      judgedRecords.insert(recordKey)
      records[recordKey] = PushRecord(
        number: ticket.number, judged: max(context.now, head.updated), digest: digest, answer: answer)
    }
    return .answer(answer)
  }

  private func unreadable(_ push: PushRequest, _ recordKey: [UInt8]?) -> StorageError? {
    if unreadable.isEmpty { return nil }
    let keys = push.edits.map { AuthorityKey.document(group, $0.id) } + [recordKey].compactMap(\.self)
    return keys.lazy.compactMap { unreadable[$0] }.first
  }

  /// Whether the versions that the push names are of this history. Those of a store that was since put back to an
  /// earlier state may name other values here.
  private func knows(_ push: PushRequest) -> Bool {
    [push.cursor, push.seen].allSatisfy { cursor in
      guard let cursor else { return true }
      guard let known = AuthorityCursor(cursor), known.group == group else { return false }
      return history.has(known.place)
    }
  }

  /// Why `edit` is rejected; `nil` when it is accepted.
  private func reason(against edit: Edit, _ isKnown: Bool, _ limits: Limits) -> RejectionReason? {
    if let problem = edit.problem(limits) { return problem }
    guard let index = index(of: edit.id) else {
      return edit.version == 0 || edit.content == .deleted ? nil : .stale
    }
    if index.isDeleted && (edit.version == 0 || edit.content == .deleted) { return nil }
    return edit.version == index.version && isKnown ? nil : .stale
  }

  private func index(of id: String) -> DocumentIndex? { documents[ByteKey(AuthorityKey.document(group, id))] }

  private mutating func accept(_ edit: Edit, _ context: TurnContext) -> PushAnswer.Acceptance {
    let key = AuthorityKey.document(group, edit.id)
    let old = documents[ByteKey(key)]
    if edit.content == .deleted && old?.isDeleted ?? true {  // changes nothing
      return .init(id: edit.id, version: old?.version ?? 0, updated: old?.updated ?? context.now)
    }
    enter(context)
    head.counter += 1
    head.updated = Self.stamp(head, context.now)
    let document = Document(
      id: edit.id, version: (old?.version ?? head.floor) + 1, updated: head.updated, content: edit.content)
    let index = DocumentIndex(
      sequence: head.counter, version: document.version, updated: document.updated,
      isDeleted: edit.content == .deleted)
    if let old {
      let change = AuthorityKey.change(group, old.sequence)
      batch.delete(change)
      written[ByteKey(change)] = nil
    }
    let change = AuthorityKey.change(group, index.sequence)
    batch.put(change, document.changeBytes)
    batch.put(key, index.bytes)
    documents[ByteKey(key)] = index
    written[ByteKey(change)] = edit.content
    return .init(id: edit.id, version: document.version, updated: document.updated)
  }

  /// Goes over to this authority's epoch: notes where the one before it ended.
  private mutating func enter(_ context: TurnContext) {
    guard head.epoch != context.epoch else { return }
    if head.counter > 0 {
      let end = EpochEnd(sequence: head.counter, ended: max(context.now, head.updated))
      batch.put(AuthorityKey.epochEnd(group, history.place.epoch), end.bytes)
    }
    batch.delete(AuthorityKey.epochEnd(group, context.epoch))  // it goes on
    head.epoch = context.epoch
  }

  /// When a change is written, which never falls along the sequence; unless the one before it is dated further ahead
  /// than clocks are apart: then that clock was wrong, and everything after it would bear its date.
  static func stamp(_ head: GroupHead, _ now: Int64) -> Int64 {
    head.updated - now > clockTolerance ? now : max(head.updated, now)
  }

  /// How far the clocks of a store's authorities may be apart, in milliseconds: a day.
  static let clockTolerance: Int64 = 24 * 3600 * 1000

  private mutating func replay(
    _ record: PushRecord, _ push: PushRequest, _ context: TurnContext
  ) -> PushAnswer {
    var answer = PushAnswer(
      group: group, accepted: record.accepted,
      rejected: record.rejected.map { rejection(of: $0.id, $0.reason, $0.message, context) },
      now: context.now)
    tell(&answer, knows(push), context)
    return answer
  }

  /// Tells a client the place where the group stands once its push is judged; or that its own place is not of this
  /// history. The store may be put back to where that place is known again, so what it has is no base for verdicts.
  private func tell(_ answer: inout PushAnswer, _ isKnown: Bool, _ context: TurnContext) {
    guard isKnown else {
      answer.isReset = true
      return
    }
    let place = HistoryPlace(epoch: head.epoch ?? context.identity, sequence: head.counter)
    answer.seen = AuthorityCursor(group: group, place: place).cursor
  }

  /// A stale document's value is read later: here it is marked as deleted.
  private mutating func rejection(
    of id: String, _ reason: RejectionReason, _ message: String?, _ context: TurnContext
  ) -> PushAnswer.Rejection {
    guard reason == .stale else { return .init(id: id, reason: reason, message: message) }
    let index = index(of: id)
    var current = Document(
      id: id, version: index?.version ?? 0, updated: index?.updated ?? context.now, content: .deleted)
    if let index, !index.isDeleted {
      // A push of this turn that is judged later may replace the change: what it holds now is noted now.
      let change = AuthorityKey.change(group, index.sequence)
      if let content = written[ByteKey(change)] {
        current.content = content
      } else {
        shown.insert(change)
        sources[VersionKey(id: id, version: current.version)] = change
      }
    }
    return .init(id: id, reason: reason, current: current)
  }

  // MARK: The values of stale documents

  /// What ``finish(_:)`` needs to know: changes that the answers show, and whether they are still there to be shown.
  /// `nil`: nothing, and it need not be called.
  package var contentQuery: StorageQuery? {
    shown.next.isEmpty ? nil : StorageQuery(keys: [AuthorityKey.head(group)] + shown.next)
  }

  /// Takes some values of stale documents; once there are no more to read, puts them into the answers.
  ///
  /// - Throws: `StorageError` when a value cannot be read.
  package mutating func finish(_ values: [[UInt8]?]) throws -> TurnCompletion {
    try shown.take(values.dropFirst())
    if !shown.missing.isEmpty && (values.first ?? nil) != storedHead { return .void }
    if !shown.next.isEmpty { return .goesOn }
    var failures: [Int: StorageError] = [:]
    for index in judgements.indices {
      guard case .answer(var answer) = judgements[index] else { continue }
      for position in answer.rejected.indices {
        guard let current = answer.rejected[position].current,
          let key = sources[VersionKey(id: current.id, version: current.version)]
        else { continue }
        if let content = shown[key] {
          answer.rejected[position].current?.content = content
        } else {
          answer.rejected[position].current = nil
        }
        if shown.missing.contains(key) { failures[index] = Self.corrupt(version: current.version) }
      }
      judgements[index] = .answer(answer)
    }
    return failures.isEmpty ? .goesOn : .corrupt(failures)
  }

  private static func corrupt(version: Int64) -> StorageError {
    StorageError(
      .corrupt,
      "The store's index names version \(version) of a document that the push is about, and the store has no such change. "
        + "Check the store with `atomsync-server verify`, and restore it from a backup.")
  }

  // MARK: What to commit

  package var readHead: GroupHead { history.head }

  /// What the turn writes: nothing, or all of it or nothing of it.
  package var batches: [StorageBatch] { batch.writes.isEmpty ? [] : [batch] }

  /// Whether the turn changes documents, so that live readers have something to read.
  package var changesDocuments: Bool { head.counter > history.head.counter }
}

extension Edit {
  /// Why it can never be accepted, whatever the store holds; `nil` when it can.
  func problem(_ limits: Limits) -> RejectionReason? {
    if Names.problem(id: id) != nil || version < 0 { return .invalid }
    return content.byteCount > limits.valueBytes ? .tooLarge : nil
  }
}
