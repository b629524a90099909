package import AtomsyncCore
internal import HashTreeCollections
package import Transit

// What the tests and the simulation look at.

extension ReplicaMachine {
  /// What is wrong with the state, if anything: checked after each event in debug builds for the documents that
  /// changed, and by the simulator for all.
  package func violatedInvariant(in ids: some Collection<String>) -> String? {
    for id in ids where content.documents[id]?.pendingSince != content.documents.pending[id] {
      return "\(id) is not in the list of what is pending, or wrongly so."
    }
    for id in content.inFlightEdits.keys where content.documents.pending[id] == nil {
      return "\(id) is in flight, but not pending."
    }
    for (id, task) in content.merging
    where content.documents[id]?.pending?.openConflict == nil || task.input.document != id {
      return "\(id) is being merged, but has no open conflict."
    }
    switch session.activity {
    case .freezing, .pushing:
      if content.inFlight == nil { return "A push is under way, but none is frozen." }
    case .pulling:
      if content.inFlight != nil { return "A page was asked for while a push's outcome is unknown." }
      if !session.isConnected { return "A page was asked for without a connection." }
    case .saving(_, .apply):
      if !session.isConnected { return "A page waits without a connection." }
    case .idle, .saving: break
    }
    if let push = content.inFlight, push.ticket.client == content.record.client,
      push.ticket.number > content.record.push
    {
      return "The push in flight has a number that was never given."
    }
    return nil
  }

  /// The same for every document, and for what is derived. O(documents)
  package var violatedInvariant: String? {
    let all = Set(content.documents.ids { _ in true }).union(content.documents.pending.keys)
    if let violation = violatedInvariant(in: all) { return violation }
    let queued = Set(content.queue.all)
    for id in content.documents.pending.keys where content.inFlightEdits[id] == nil && !queued.contains(id) {
      guard let edit = content.documents[id]?.pending, edit.openConflict == nil else { continue }
      let isHeld =
        edit.atomic.map { content.atomicGroups.documents(of: $0) }?.contains {
          queued.contains($0) || content.documents[$0]?.pending?.openConflict != nil
        } ?? false
      if !isHeld { return "\(id) is pending, but not queued." }
    }
    for id in content.documents.pending.keys {
      if let group = content.documents[id]?.pending?.atomic,
        !(content.atomicGroups.all[group]?.contains(id) ?? false)
      {
        return "\(id) is of an atomic group that does not name it."
      }
    }
    for (group, ids) in content.atomicGroups.all
    where ids.contains(where: { content.documents[$0]?.pending?.atomic != group }) {
      return "The atomic group \(group) names a document that is not in it."
    }
    return nil
  }

  /// The timers that run, by kind.
  package var timers: [ReplicaTimer.Kind: Int] { session.timers }

  /// The state in a line or two, for reading what happened.
  package var summary: String {
    let known = content.documents.ids { _ in true }.sorted()
      .compactMap { id in content.documents[id].map { (id, $0) } }
    let edits = known.compactMap { id, document in
      document.pending.map {
        "\(id)@\($0.baseVersion) e\($0.firstEdit)-\($0.edit)=\($0.value?.value.description ?? "-")"
      }
    }
    let base = known.compactMap { id, document in
      document.base.map { "\(id)@\($0.version)=\($0.value?.value.description ?? "-")" }
    }
    let inFlight = content.inFlightEdits.sorted { $0.key < $1.key }.map { "\($0.key) e\($0.value)" }
    return
      "\(phase.rawValue) saved \(savedTicket)/\(lastTicket) cursor \(content.record.cursor?.text.dropFirst(26) ?? "-")"
      + " seen \(content.record.seen?.text.dropFirst(26) ?? "-") reset \(content.record.isResetting) in flight \(inFlight) pending \(edits) base \(base)"
  }

  /// What is visible of a document.
  package func value(of id: String) -> TransitValue? { content.documents[id]?.visible?.value }

  /// A document's base, as far as others may look at it, and the reset that it is of.
  package struct BaseView {
    /// `nil`: there is none.
    package var version: Int64?
    package var isDeleted: Bool
    package var generation: Int64
    package var isResetting: Bool
  }

  package func base(of id: String) -> BaseView {
    let base = content.documents[id]?.base
    return BaseView(
      version: base?.version, isDeleted: base?.value == nil, generation: content.record.generation,
      isResetting: content.record.isResetting)
  }

  /// Whether a value that creates a document is known to have been shown before.
  package func hasSeen(_ item: RemotePage.Item) -> Bool {
    guard let lineage = item.seal?.lineage else { return false }
    return content.documents[item.id]?.base?.seal?.hasSeen(lineage) ?? false
  }

  /// All that is visible. O(documents)
  package var values: [String: TransitValue] {
    Dictionary(
      uniqueKeysWithValues: content.documents.visible.compactMap { id, document in
        document.visible.map { (id, $0.value) }
      })
  }

  /// The documents with pending edits, in order.
  package var pendingIDs: [String] { content.pendingIDs }

  /// A pending edit, as far as others may look at it.
  package struct PendingView: Equatable {
    package var first: Int64
    package var last: Int64
    package var base: TransitValue?
    package var baseVersion: Int64
    package var value: TransitValue?
    package var sent: [TransitValue?]
    package var openRemote: TransitValue??
  }

  package func pendingView(of id: String) -> PendingView? {
    content.documents[id]?.pending.map { edit in
      PendingView(
        first: edit.firstEdit, last: edit.edit, base: edit.base?.value, baseVersion: edit.baseVersion,
        value: edit.value?.value, sent: edit.sent.map { $0?.value },
        openRemote: edit.openConflict.map { $0.value?.value })
    }
  }

  /// The documents whose merge failed, in order.
  package var openConflictIDs: [String] { content.openConflicts.sorted() }

  package func conflictsOf(_ id: String) -> [Conflict] { content.conflicts.all.filter { $0.document == id } }

  /// Rows in the store that nothing in memory accounts for. O(rows)
  ///
  /// - Parameter entries: all rows of the atom's kinds, as a restarted process finds them.
  package func orphans(among entries: [StorageEntry]) -> [String] {
    entries.compactMap { entry in
      guard let space = entry.key.first.flatMap({ Space(rawValue: $0) }) else { return "a key of no space" }
      let id = settings.keys.id(in: entry.key)
      let isOwned =
        switch space {
        case .atom: true
        case .inFlight: content.inFlight != nil
        case .base: id.flatMap { content.documents[$0]?.base?.isStored } ?? false
        case .pending: id.flatMap { content.documents.pending[$0] } != nil
        case .rejected: id.flatMap { content.rejections[$0] } != nil
        case .conflict:
          TupleKey.trailingNumber(entry.key).map { number in
            content.conflicts.all.contains {
              $0.id == number && (!$0.isOpen || openReport(of: $0.document) == number)
            }
          } ?? false
        case .verdict: true
        case .header, .group, .document, .change, .push, .epoch, .epochEnd, .formerAtom, .formerInFlight:
          false
        }
      return isOwned ? nil : "a row of kind \(space), \(id ?? "of the atom")"
    }
  }

  private func openReport(of id: String) -> Int64? { content.documents[id]?.pending?.openReport }
}
