internal import AtomsyncCore
internal import HashTreeCollections

extension ReplicaContent {
  /// Why a page is not applied.
  enum Objection {
    case wrongUser(expected: String, actual: String)
    case error(TransportError)
    /// It tells another value of a version that is known.
    case otherHistory
  }

  /// What speaks against a page, if anything.
  ///
  /// - Parameter asked: the cursor of the pull that it answers; `nil` for a page of a live stream.
  func objection(to page: RemotePage, asked: Cursor? = nil) -> Objection? {
    if let expected = record.user, let actual = page.user, actual != expected {
      return .wrongUser(expected: expected, actual: actual)
    }
    if page.hasMore, page.cursor == asked {
      return .error(TransportError(.malformedAnswer, "The server answers the same page again and again."))
    }
    // A stream that was opened before a push was answered goes on when the store is put back to before that push: it was not
    // asked to lead through the place that the answer told.
    if !record.isResetting, !page.isReset, page.items.contains(where: contradicts) { return .otherHistory }
    return nil
  }

  private func contradicts(_ item: RemotePage.Item) -> Bool {
    guard let known = documents[item.id]?.base else { return false }
    return item.version == known.version && item.value != known.value && !isReplayed(item, known)
  }

  /// Takes a page into the base, together with its cursor.
  ///
  /// - Parameter seen: the place that the page's request was asked to lead through: it is beyond that.
  mutating func apply(_ page: RemotePage, seen: Cursor?) {
    if page.isReset { beginReset() }
    var news: [RemotePage.Item] = []
    for item in page.items {
      let known = documents[item.id]?.base
      // Pages and verdicts may arrive out of order: a version that is not newer than the known one is ignored. Only a
      // reset's pages are the truth whatever their versions, because their server may have been restored.
      if !record.isResetting, let known, item.version <= known.version {
        if known.value == nil && item.version == known.version { forgetTombstone(item.id) }
        continue
      }
      setBase(item.id, base(of: examined(item, against: known), record.generation))
      news.append(item)
    }
    // Once the base is what the server said of all of them: documents may have to go together.
    if !record.isResetting { for item in news { rebase(item.id) } }
    for item in news where item.value == nil { forgetTombstone(item.id) }  // later pages hold nothing older
    record.cursor = page.cursor
    if seen == record.seen { record.seen = nil }
    if let store = page.store { record.store = store }
    if record.user == nil { record.user = page.user }
    if !page.hasMore {
      if record.isResetting { endReset() }
      record.hasSynced = true
      record.isRevoked = false
    }
    saveRecord()
  }

  private mutating func beginReset() {
    record.generation += 1
    record.isResetting = true
  }

  /// The whole content has come: what it did not name is gone. O(documents)
  private mutating func endReset() {
    record.isResetting = false
    let (generation, none) = (record.generation, Int64.max)
    for id in documents.ids(where: { $0.base?.generation ?? none < generation }).sorted() { forgetBase(id) }
    for id in pendingIDs { rebase(id, afterReset: true) }
  }

  /// Puts a pending edit on top of the base as it is now.
  ///
  /// - Parameter afterReset: the base is that of a server that may have forgotten; a document that it does not have
  ///   is created again rather than given up.
  mutating func rebase(_ id: String, afterReset: Bool = false) {
    guard let known = documents[id], var edit = known.pending else { return }
    let document = known.base
    let remote = document?.value
    let version = remote == nil ? 0 : document?.version ?? 0
    if edit.isReseal {
      drop(id, .accepted(version: edit.baseVersion))  // somebody has sealed or written it anew
    } else if edit.value == remote {
      drop(id, .accepted(version: document?.version ?? 0))
    } else if edit.base == remote || edit.sent.contains(remote) || (afterReset && remote == nil) {
      if afterReset && remote == nil && edit.base != nil && !edit.sent.contains(remote) {
        report(id, &edit, remote: nil, .localWon)
      }
      closeReport(id, &edit, .localWon)
      // A push that is still on its way names the version that the edit was made on: while that is the document's, it
      // may be accepted yet.
      if edit.baseVersion != version { edit.sent = [] }
      edit.baseVersion = version
      edit.base = remote
      edit.openConflict = nil
      merging[id] = nil
      openConflicts.remove(id)
      setPending(id, edit)
      queue.append(id)
    } else {
      conflict(id, edit, document)
    }
  }

  /// The permission to read was withdrawn: the server's documents leave the atom, the pending edits stay.
  mutating func revoke() {
    if !record.isRevoked {
      record.isRevoked = true
      saveRecord()
    }
    let ids = documents.ids { $0.base != nil }.sorted()
    guard !ids.isEmpty || record.cursor != nil else { return }
    for id in ids { forgetBase(id) }
    record.hasSynced = false
    startOver()  // what comes once the permission is back may be of another history
    saveRecord()
  }

  /// Begins to read everything anew.
  ///
  /// - Parameter discardingPending: every edit that the server has not confirmed is given up.
  mutating func resync(discardingPending: Bool) {
    if discardingPending {
      if inFlight != nil {
        setInFlight(nil)
        output.batch.delete(settings.keys.inFlight)
      }
      for id in pendingIDs { drop(id, .discarded) }
    }
    startOver()
    saveRecord()
  }

  /// What is known is to be read again from the beginning.
  mutating func startOver() {
    record.cursor = nil
    beginReset()
  }
}
