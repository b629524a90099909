internal import AtomsyncCore
internal import HashTreeCollections

extension ReplicaMachine {
  /// Takes a page into the base, together with its cursor.
  mutating func apply(_ page: RemotePage, _ now: Int64) {
    if page.isReset { beginReset(now) }
    var news: [RemotePage.Item] = []
    for item in page.items {
      let known = documents[item.id]?.base
      // Pages and verdicts travel on their own ways: what is older than what we know is no news. Only a reset's
      // pages are the truth whatever their versions, because their server may have been restored.
      if !record.isResetting, let known, item.version <= known.version {
        if known.value == nil && item.version == known.version { forgetTombstone(item.id) }
        continue
      }
      setBase(
        item.id,
        BaseDocument(
          version: item.version, updated: item.updated, generation: record.generation, value: item.value))
      news.append(item)
    }
    // Once the base is what the server said of all of them: documents may have to go together.
    if !record.isResetting { for item in news { rebase(item.id, now) } }
    for item in news where item.value == nil { forgetTombstone(item.id) }  // later pages hold nothing older
    record.cursor = page.cursor
    if record.user == nil { record.user = page.user }
    if !page.hasMore {
      if record.isResetting { endReset(now) }
      record.hasSynced = true
      record.isRevoked = false
    }
    saveRecord()
  }

  mutating func beginReset(_ now: Int64) {
    record.generation += 1
    record.isResetting = true
    if settings.faults.contains(.resetDropsPending) {
      for id in pendingIDs where inFlightEdits[id] == nil { drop(id, .discarded, now) }
    }
  }

  /// The whole content has come: what it did not name is gone. O(documents).
  private mutating func endReset(_ now: Int64) {
    record.isResetting = false
    let (generation, none) = (record.generation, Int64.max)
    for id in documents.ids(where: { $0.base?.generation ?? none < generation }) { removeBase(id) }
    for id in pendingIDs { rebase(id, now, afterReset: true) }
  }

  /// Puts a pending edit on top of the base as it is now.
  ///
  /// - Parameter afterReset: the base is that of a server that may have forgotten; a document that it does not have
  ///   is created again rather than given up.
  mutating func rebase(_ id: String, _ now: Int64, afterReset: Bool = false) {
    guard let known = documents[id], var edit = known.pending else { return }
    let document = known.base
    let remote = document?.value
    let version = remote == nil ? 0 : document?.version ?? 0
    if edit.value == remote {
      drop(id, .accepted(version: document?.version ?? 0), now)
    } else if edit.base == remote || edit.sent.contains(remote) || (afterReset && remote == nil) {
      if afterReset && remote == nil && edit.base != nil && !edit.sent.contains(remote) {
        report(id, edit, remote: nil, .localWon, now)
      }
      closeReport(id, edit, .localWon, now)
      edit.sent = []
      edit.baseVersion = version
      edit.base = remote
      edit.openConflict = nil
      merging[id] = nil
      openConflicts.remove(id)
      setPending(id, edit)
      queue.append(id)
    } else {
      conflict(id, edit, document, now)
    }
  }

  /// The permission to read was withdrawn: the server's documents leave the atom, the pending edits stay.
  mutating func revoke() {
    if !record.isRevoked {
      record.isRevoked = true
      saveRecord()
    }
    let ids = documents.ids { $0.base != nil }
    guard !ids.isEmpty || record.cursor != nil else { return }
    for id in ids { removeBase(id) }
    record.cursor = nil
    record.hasSynced = false
    record.isResetting = false
    saveRecord()
  }

  mutating func reset(keepPending: Bool, _ now: Int64) {
    if case .stopped = link { return }
    if !keepPending {
      if inFlight != nil {
        setInFlight(nil)
        effects.batch.delete(settings.keys.inFlight)
        switch activity {
        case .freezing, .pushing: activity = .idle
        case .idle, .pulling, .saving: break
        }
      }
      for id in pendingIDs { drop(id, .discarded, now) }
    }
    if case .pulling = activity { activity = .idle }  // its answer would not be the whole content
    arrived = nil
    record.cursor = nil
    beginReset(now)
    saveRecord()
    needsPull = true
  }
}
