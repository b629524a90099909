package import AtomsyncCore
internal import Foundation
internal import Transit

/// The edge between a replica, which sees documents, and its server, which sees what is sealed of them. Without an
/// encryption both are the same, and nothing happens here.
package final class DocumentSealing: Sendable {
  package let encryption: Encryption?
  private let hidesIDs: Bool
  /// What every value of the group is bound to.
  private let binding: [UInt8]
  /// Hidden ids by their pseudonyms: a deletion has nothing in it that tells its id.
  private let hiddenIDs = Lock<[String: String]>([:])

  package init(_ encryption: Encryption?, group: String) {
    self.encryption = encryption
    hidesIDs = encryption?.hidesIDs ?? false
    binding = Array("atomsync/1/value\0\(group)\0".utf8)
  }

  // MARK: What goes out

  /// - Throws: what the cipher throws.
  package func seal(_ push: OutgoingPush) throws -> SealedPush {
    guard let encryption else { return SealedPush(request: push.request, sealing: self) }
    var sealed = SealedPush(request: push.request, sealing: self)
    for index in push.request.edits.indices {
      let edit = push.request.edits[index]
      let id = wireID(of: edit.id)
      sealed.ids[id] = edit.id
      know(edit.id, id)
      sealed.request.edits[index].id = id
      guard let payload = edit.content.payload else { continue }
      let lineage = edit.version == 0 ? 0 : push.lineages[edit.id] ?? 0
      let document = SealedDocument(
        madeOn: edit.version, lineage: lineage, id: hidesIDs ? edit.id : "", payload: payload)
      let parts = try encryption.cipher.seal(
        document.frame, binding: binding(id), salt: push.request.ticket?.bytes ?? [])
      sealed.request.edits[index].content = .value(try SealedForm.payload(parts))
      sealed.seals[edit.id] = Seal(
        key: parts.key, lineage: edit.version == 0 ? Seal.lineage(begunBy: parts) : lineage,
        madeOn: edit.version)
    }
    return sealed
  }

  /// What ties a sealed value to its group and document, so that it opens nowhere else.
  private func binding(_ wireID: String) -> [UInt8] { binding + wireID.utf8 }

  /// What the server calls a document.
  private func wireID(of id: String) -> String {
    guard hidesIDs, let encryption else { return id }
    if Self.isUnopenedID(id) { return String(id.dropFirst(Self.unopened.count)) }
    return encryption.cipher.pseudonym(of: id)
  }

  /// How a document is called here whose id is hidden in what cannot be opened: this, and its pseudonym.
  private static let unopened = "unopened:"

  /// Whether an id is what a document is called that cannot be opened.
  private static func isUnopenedID(_ id: String) -> Bool { id.utf8.starts(with: unopened.utf8) }

  /// What is wrong with a new value of a document; `nil` when nothing is.
  func problem(id: String) -> String? {
    guard hidesIDs, Self.isUnopenedID(id) else { return nil }
    return "The id \(id) is that of a document that cannot be opened. It can be removed, and not written."
  }

  /// Takes note of documents that the replica has, for those whose ids are hidden.
  func know(_ ids: @autoclosure () -> [String]) {
    if hidesIDs { for id in ids() { know(id) } }
  }

  /// Takes note of a document that the replica has.
  package func know(_ id: String) {
    if hidesIDs { know(id, wireID(of: id)) }
  }

  private func know(_ id: String, _ wireID: String) {
    guard hidesIDs else { return }
    hiddenIDs.withLock { ids in
      if !Self.isUnopenedID(id) || ids[wireID] == nil { ids[wireID] = id }
    }
  }

  // MARK: What comes in

  /// - Throws: `TransitError`, `TransportError`: see ``RemotePage``.
  package func open(_ page: PullPage) throws -> RemotePage {
    RemotePage(page, items: try page.documents.compactMap { try item($0) })
  }

  /// A document of the server's; `nil` for the deletion of one that was never known here.
  ///
  /// - Throws: `TransitError`, `TransportError`.
  package func item(_ document: Document) throws -> RemotePage.Item? {
    let item = try RemotePage.Item(document)
    return encryption == nil ? item : try opened(item)
  }

  private func opened(_ item: RemotePage.Item) throws -> RemotePage.Item? {
    var item = item
    let wireID = item.id
    guard let value = item.value else {
      guard let id = knownID(wireID) else { return nil }
      item.id = id
      item.seal = Seal(key: nil, lineage: 0)
      return item
    }
    switch opening(value, wireID, item.version) {
    case .value(let value, let id, let seal):
      item.id = id
      item.value = value
      item.seal = seal
    case .unopened(let unopened):
      item.value = try StoredValue(unopened)
      item.id = knownID(wireID) ?? Self.unopened + wireID
      // No device has made this one, and it could not even be removed.
      if item.id.utf8.count > Names.maximumIDLength { return nil }
    }
    know(item.id, wireID)
    if hidesIDs, !Self.isUnopenedID(item.id) { item.unopenedID = Self.unopened + wireID }
    return item
  }

  private func knownID(_ wireID: String) -> String? {
    hidesIDs ? hiddenIDs.withLock { $0[wireID] } : wireID
  }

  /// What came of opening a value.
  enum Opening {
    case value(StoredValue, id: String, Seal?)
    case unopened(UnopenedDocument)
  }

  /// Opens the value of a document that the server knows by `wireID`, as the value of `version`.
  private func opening(_ value: StoredValue, _ wireID: String, _ version: Int64) -> Opening {
    guard let encryption else { return .value(value, id: wireID, nil) }
    do throws(CipherError) {
      guard let parts = try SealedForm.parts(value.value) else {
        return encryption.adoptsUnsealed && !hidesIDs
          ? .value(value, id: wireID, nil) : .unopened(.init(.unsealed, original: value.payload))
      }
      let frame = try encryption.cipher.open(parts, binding: binding(wireID))
      let document = try SealedDocument(frame: frame)
      let id = hidesIDs ? document.id : wireID
      if hidesIDs, Names.problem(id: id) != nil || Self.isUnopenedID(id) { throw .damaged }
      guard wireID == self.wireID(of: id), let plain = try? StoredValue(document.payload) else {
        throw .damaged
      }
      // The version is the one after that on which the value was made. Only who creates a document does not know it.
      if document.madeOn != 0 && version != document.madeOn + 1 {
        return .unopened(.init(.replayed, original: value.payload))
      }
      let lineage = document.madeOn == 0 ? Seal.lineage(begunBy: parts) : document.lineage
      return .value(plain, id: id, Seal(key: parts.key, lineage: lineage, madeOn: document.madeOn))
    } catch {
      return .unopened(.init(after: error, original: value.payload))
    }
  }

  /// Tries once more to open what was not opened before, with the keys of today.
  func reopening(_ unopened: UnopenedDocument, _ id: String, _ version: Int64) throws -> Opening {
    opening(try StoredValue(unopened.original), wireID(of: id), version)
  }
}

/// A push as a replica makes it.
package struct OutgoingPush: Sendable {
  package var request: PushRequest
  /// The lineages of the documents that are changed, where known.
  package var lineages: [String: UInt64] = [:]

  package init(request: PushRequest) { self.request = request }
}

/// A push as it is sent, and how to read the answer to it.
package struct SealedPush: Sendable {
  package var request: PushRequest
  fileprivate let sealing: DocumentSealing
  fileprivate var ids: [String: String] = [:]
  fileprivate var seals: [String: Seal] = [:]

  /// The answer, as the replica knows its documents.
  ///
  /// - Throws: `TransportError` for a version that the accepted value cannot have.
  package func open(_ answer: PushAnswer) throws -> RemoteAnswer {
    var answer = answer
    for index in answer.accepted.indices {
      rename(&answer.accepted[index].id)
      try check(answer.accepted[index])
    }
    // What the server has instead is still called as the server calls it.
    for index in answer.rejected.indices { rename(&answer.rejected[index].id) }
    var opened = RemoteAnswer(answer) { try? sealing.item($0) }
    opened.seals = seals
    return opened
  }

  private func rename(_ id: inout String) { id = ids[id] ?? id }

  private func check(_ acceptance: PushAnswer.Acceptance) throws {
    var isRight = Int64.counts.contains(acceptance.version)
    // A sealed value says itself which version it is; unless it creates a document.
    if let seal = seals[acceptance.id], seal.madeOn > 0 {
      isRight = isRight && acceptance.version == seal.madeOn + 1
    }
    guard isRight else {
      throw TransportError(
        .malformedAnswer, "The server says that a document has a version that it cannot have.")
    }
  }
}

extension PushTicket {
  /// The client's id and the number, as 24 bytes.
  fileprivate var bytes: [UInt8] {
    withUnsafeBytes(of: client.uuid) { Array($0) } + withUnsafeBytes(of: number.bigEndian) { Array($0) }
  }
}
