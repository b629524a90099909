internal import AtomsyncCore
internal import HashTreeCollections
package import Transit

extension ReplicaMachine {
  /// What is wrong with the state, if anything: checked after each event in debug builds for the documents that
  /// changed, and by the simulator for all.
  package func violatedInvariant(in ids: some Collection<String>) -> String? {
    for id in ids where documents[id]?.pendingSince != documents.pending[id] {
      return "\(id) is not in the list of what is pending, or wrongly so."
    }
    for id in inFlightEdits.keys where documents.pending[id] == nil {
      return "\(id) is in flight, but not pending."
    }
    for (id, task) in merging where documents[id]?.pending?.openConflict == nil || task.input.document != id {
      return "\(id) is being merged, but has no open conflict."
    }
    switch activity {
    case .freezing, .pushing:
      if inFlight == nil { return "A push is under way, but none is frozen." }
    case .pulling:
      if inFlight != nil { return "A page was asked for while a push's outcome is unknown." }
    case .idle, .saving: break
    }
    if let inFlight, inFlight.ticket.client == record.client, inFlight.ticket.number > record.push {
      return "The push in flight has a number that was never given."
    }
    if arrived != nil {
      guard case .saving(_, nil) = activity else { return "A page waits, but none is being saved." }
      if link != .connected { return "A page waits without a connection." }
    }
    if held != nil {
      guard case .live = follow else { return "A live page is held without a stream." }
    }
    if link != .connected && follow != .nothing { return "A group is followed without a connection." }
    return nil
  }

  /// The same for every document, and for what is derived. O(documents).
  package var violatedInvariant: String? {
    if let violation = violatedInvariant(in: Set(documents.ids { _ in true }).union(documents.pending.keys)) {
      return violation
    }
    let queued = Set(queue.all)
    for id in documents.pending.keys where inFlightEdits[id] == nil && !queued.contains(id) {
      guard let edit = documents[id]?.pending, edit.openConflict == nil else { continue }
      let isHeld =
        edit.atomic.flatMap { atomicGroups[$0] }?.contains {
          queued.contains($0) || documents[$0]?.pending?.openConflict != nil
        } ?? false
      if !isHeld { return "\(id) is pending, but not queued." }
    }
    for (group, ids) in atomicGroups where ids.contains(where: { documents[$0]?.pending?.atomic != group }) {
      return "The atomic group \(group) names a document that is not in it."
    }
    return nil
  }

  /// The state in a line or two, for reading what happened.
  package var summary: String {
    let known = documents.ids { _ in true }.sorted().compactMap { id in documents[id].map { (id, $0) } }
    let edits = known.compactMap { id, document in
      document.pending.map {
        "\(id)@\($0.baseVersion) e\($0.firstEdit)-\($0.edit)=\($0.value?.value.description ?? "-")"
      }
    }
    let base = known.compactMap { id, document in
      document.base.map { "\(id)@\($0.version)=\($0.value?.value.description ?? "-")" }
    }
    return
      "\(link) \(activity) \(follow) saved \(savedTicket)/\(lastTicket) cursor \(record.cursor?.text.suffix(24) ?? "-")"
      + " reset \(record.isResetting) in flight \(inFlightEdits.sorted { $0.key < $1.key }.map { "\($0.key) e\($0.value)" }) pending \(edits) base \(base)"
  }

  /// What is shown of a document.
  package func value(of id: String) -> TransitValue? { documents[id]?.shown?.value }

  /// All that is shown. O(documents)
  package var values: [String: TransitValue] {
    Dictionary(
      uniqueKeysWithValues: documents.shown.compactMap { id, document in
        document.shown.map { (id, $0.value) }
      })
  }

  /// The documents whose merge failed, in order.
  package var openConflictIDs: [String] { openConflicts.sorted() }

  package func rejection(of id: String) -> Rejection? { rejections[id]?.rejection }

  package func conflictsOf(_ id: String) -> [Conflict] { conflicts.filter { $0.document == id } }
}
