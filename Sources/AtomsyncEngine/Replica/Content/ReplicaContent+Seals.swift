internal import AtomsyncCore
internal import HashTreeCollections
internal import Transit

// What an encrypted atom believes of its server.

extension ReplicaContent {
  private var encryption: Encryption? { settings.sealing.encryption }
  var isSealed: Bool { encryption != nil }

  func base(of item: RemotePage.Item, _ generation: Int64) -> BaseDocument {
    BaseDocument(
      version: item.version, updated: item.updated, generation: generation, value: item.value,
      seal: item.value == nil ? burial(of: item.id) : item.seal)
  }

  /// What is remembered of a document that is deleted: `nil` where nobody is suspected.
  func burial(of id: String) -> Seal? {
    guard isSealed else { return nil }
    return .burial(of: documents[id]?.base?.seal, age: record.age)
  }

  mutating func noteSeal(of id: String, _ document: BaseDocument?) {
    guard let encryption else { return }
    let isUnopened = document?.value?.unopened != nil
    // What has no seal here, and is shown, was adopted.
    let isOutdated = document?.seal?.key.map { encryption.cipher.outdatedKeyIDs.contains($0) } ?? true
    seals.note(
      id, isUnopened: isUnopened, isOutdated: document?.value != nil && !isUnopened && isOutdated)
  }

  // MARK: What the server shows

  /// What is to be believed of an item that is about to take the place of what is known. What it takes back of a genuine
  /// value is reported.
  mutating func examined(_ item: RemotePage.Item, against known: BaseDocument?) -> RemotePage.Item {
    guard isSealed else { return item }
    var item = item
    if let pseudonym = item.unopenedID { endUnopenedID(pseudonym, by: item) }
    if isReplay(item, of: known), let value = item.value,
      let replayed = try? StoredValue(UnopenedDocument(.replayed, original: value.payload))
    {
      item.value = replayed
    }
    let unopened = item.value?.unopened
    if unopened != nil { item.seal = Seal(key: nil, lineage: 0) }
    item.seal = item.seal?.after(known?.seal)
    // What was not opened before was not seen.
    guard let known, known.value?.unopened == nil, known.value != item.value else { return item }
    let isForged = unopened?.isForged ?? false && known.value != nil
    let isOlder = item.version <= known.version || item.version < known.seal?.height ?? 0
    if isForged || isOlder {
      _ = keep(item.id, base: nil, local: known.value, remote: item.value, .rolledBack)
    }
    return item
  }

  /// Whether a value was shown before, as another version. (Most of them say themselves which version they are.)
  private func isReplay(_ item: RemotePage.Item, of known: BaseDocument?) -> Bool {
    guard let known, let remembered = known.seal else { return false }
    guard let seal = item.seal, item.value != nil else { return false }
    if isReplayed(item, known) { return true }
    // What creates a document is shown once.
    let isSeenCreation = seal.madeOn == 0 && remembered.hasSeen(seal.lineage)
    if record.isResetting {
      // A server that was put back may show older versions, which are reported; but none of them as a newer one.
      return isSeenCreation && item.version > max(known.version, remembered.height ?? 0)
    }
    guard item.version > known.version else { return false }
    if known.value == nil {
      // Nothing comes back of a document that is deleted.
      return isSeenCreation || seal.lineage != 0 && seal.lineage == remembered.lineage
    }
    // Between a document that is there and its creation lies at least a deletion.
    let isTooSoon = seal.madeOn == 0 && known.value?.unopened == nil && item.version < known.version + 2
    return isSeenCreation || isTooSoon
  }

  /// Whether the item is what was found to be replayed already.
  func isReplayed(_ item: RemotePage.Item, _ known: BaseDocument) -> Bool {
    guard let unopened = known.value?.unopened, unopened.reason == .replayed else { return false }
    return known.version == item.version && unopened.original == item.value?.payload
  }

  // MARK: Documents that were not to be opened, and now are

  /// The document that was known by a pseudonym has a name. What was to become of it by the pseudonym, its removal, has met
  /// another value.
  private mutating func endUnopenedID(_ pseudonym: String, by item: RemotePage.Item) {
    guard let known = documents[pseudonym] else { return }
    if let edit = known.pending {
      let number = keep(item.id, base: edit.base, local: edit.value, remote: item.value, .serverWon)
      drop(pseudonym, .superseded(conflict: number))
    }
    if known.base != nil { removeBase(pseudonym) }
  }

  /// Takes what the server has in place of a document that was pushed by its pseudonym.
  mutating func take(_ current: RemotePage.Item, inPlaceOf entry: FrozenPush.Entry) -> Consequence {
    guard current.unopenedID == entry.id else { return .unexplained }
    let known = documents[current.id]?.base
    if current.version > known?.version ?? 0 {
      setBase(current.id, base(of: examined(current, against: known), verdictGeneration))
      rebase(current.id)
    } else {
      endUnopenedID(entry.id, by: current)
    }
    return .settled
  }

  // MARK: What is remembered

  /// Forgets what the server has of a document; of an encrypted atom all but how far it had come.
  mutating func forgetBase(_ id: String) {
    guard isSealed, let known = documents[id]?.base, let seal = known.seal,
      seal.lineage != 0 || !seal.former.isEmpty
    else {
      removeBase(id)
      return
    }
    if known.version == 0 { return }  // forgotten before
    var burial = Seal.burial(of: seal, age: record.age)
    burial.height = max(known.version, seal.height ?? 0)
    setBase(
      id,
      BaseDocument(
        version: 0, updated: known.updated, generation: record.generation, value: nil, seal: burial))
  }

  /// Forgets deletions that have outlived the retention. O(documents that are deleted here)
  mutating func forgetBurials() {
    guard isSealed else { return }
    let oldest = record.age - settings.retention
    for id in documents.hiddenIDs(where: { $0.base?.seal?.buried.map { $0 < oldest } ?? false }) {
      removeBase(id)
    }
  }

  // MARK: Opening

  /// Opens what can be opened with the keys of today, and hides what was never sealed. O(documents)
  mutating func reopenSealed() throws {
    guard let encryption else { return }
    settings.sealing.know(documents.ids { _ in true })
    for id in seals.unopened.sorted() { try reopen(id) }
    guard !encryption.adoptsUnsealed else { return }
    for id in seals.outdated {
      guard var document = documents[id]?.base, document.seal == nil, let value = document.value else {
        continue
      }
      document.value = try StoredValue(UnopenedDocument(.unsealed, original: value.payload))
      setBase(id, document)
    }
  }

  private mutating func reopen(_ id: String) throws {
    guard var document = documents[id]?.base, let unopened = document.value?.unopened,
      unopened.reason != .replayed,
      case .value(let value, let newID, let seal) = try settings.sealing.reopening(
        unopened, id, document.version)
    else { return }
    if let seal, seal.madeOn == 0, document.seal?.hasSeen(seal.lineage) ?? false {
      document.value = try StoredValue(UnopenedDocument(.replayed, original: unopened.original))
      setBase(id, document)
      return
    }
    let unopenedValue = document.value
    document.value = value
    document.seal = seal?.after(document.seal)
    if newID != id {
      // Its removal is under way, by the name that it has until then.
      if documents[id]?.pending != nil { return }
      settings.sealing.know(newID)
      removeBase(id)
      if let known = documents[newID]?.base, known.version >= document.version { return }
    }
    setBase(newID, document)
    // The edits that were made on it were made on what it was.
    if var edit = documents[newID]?.pending, edit.base == unopenedValue {
      edit.base = value
      setPending(newID, edit)
    }
  }

  // MARK: Sealing anew

  /// How many documents are sealed anew at a time.
  private static var resealsAtOnce: Int { 100 }

  /// Makes ordinary edits, which change nothing but the seal, of some documents that are sealed by an older key. Once the
  /// server has them, the next are due.
  ///
  /// - Returns: whether there is something to push now.
  mutating func reseal() -> Bool {
    guard seals.isResealing, seals.outdatedCount > 0, record.hasSynced, !record.isResetting else {
      return false
    }
    let chosen = seals.takeOutdated(min(Self.resealsAtOnce, settings.documentsPerPush)) {
      [documents, rejections] in
      documents[$0]?.pending == nil && rejections[$0] == nil
    }
    guard !chosen.isEmpty else { return false }
    record.edit += 1
    for id in chosen {
      var edit = PendingEdit(on: documents[id]?.base, first: record.edit, made: now)
      edit.isReseal = true
      setPending(id, edit)
      queue.append(id)
    }
    saveRecord()
    return true
  }

  /// The server takes no writes of ours: somebody else has to seal anew.
  mutating func endResealing() {
    guard isSealed else { return }
    seals.isResealing = false
    for id in pendingIDs {
      guard let edit = documents[id]?.pending, edit.isReseal else { continue }
      drop(id, .accepted(version: edit.baseVersion))
    }
  }
}
