internal import AtomsyncCore
internal import AtomsyncEncryption
internal import AtomsyncEngine
internal import Transit

/// The keys of a sealed seed, and how its documents look to the servers; in other seeds, as they are.
struct SimulatedSealing {
  /// Devices have the first key, and by and by the second as well.
  enum Ring { case first, both }

  let isSealed: Bool
  private let hidesIDs: Bool
  private let keys: [EncryptionKey]
  /// The edges of somebody who knows everything, by group.
  private var edges: [String: DocumentSealing] = [:]

  init(_ traits: SimulationTraits, groups: [String], _ random: inout SeededRandom) {
    isSealed = traits.isSealed
    hidesIDs = traits.hidesIDs
    keys = (0..<2).map { _ in
      let bytes = (0..<EncryptionKey.byteCount).map { _ in UInt8.random(in: 0...255, using: &random) }
      return (try? EncryptionKey(bytes: bytes)) ?? EncryptionKey()
    }
    for group in groups {
      let edge = self.edge(group, .both)
      edges[group] = edge
      for number in 0..<Simulation.documents { edge.know(Simulation.id(number)) }
    }
  }

  /// The edge of a new process.
  func edge(_ group: String, _ ring: Ring) -> DocumentSealing {
    guard isSealed else { return DocumentSealing(nil, group: group) }
    let keys =
      switch ring {
      case .first: KeyRing(writing: self.keys[0])
      case .both: KeyRing(writing: self.keys[1], reading: [self.keys[0]], ids: self.keys[0])
      }
    return DocumentSealing(
      Encryption(cipher: ChaChaCipher(keys, group: group), hidesIDs: hidesIDs), group: group)
  }

  /// A document as those see it who have the keys; as it is, when it cannot be opened.
  func revealed(_ document: Document, _ group: String) -> Document {
    guard isSealed, let edge = edges[group], let item = try? edge.item(document) else { return document }
    var plain = document
    plain.id = item.id
    plain.content = item.value.map { .value($0.payload) } ?? .deleted
    return plain
  }

  func item(_ document: Document, _ group: String) throws -> RemotePage.Item? {
    try edges[group]?.item(document)
  }

  /// What a document is called by those who cannot open it.
  func unopenedID(_ id: String, _ group: String) throws -> String {
    let push = PushRequest(group: group, edits: [Edit(id: id, version: 0, content: .deleted)])
    return "unopened:\(try sealed(push).edits[0].id)"
  }

  func revealed(_ page: PullPage) -> PullPage {
    var page = page
    page.documents = page.documents.map { revealed($0, page.group) }
    return page
  }

  func revealed(_ push: PushRequest) -> PushRequest {
    var push = push
    push.edits = push.edits.map { edit in
      let document = Document(id: edit.id, version: edit.version + 1, updated: 0, content: edit.content)
      let plain = revealed(document, push.group)
      return Edit(id: plain.id, version: edit.version, content: plain.content)
    }
    return push
  }

  func revealed(id: String, _ group: String) -> String {
    revealed(Document(id: id, version: 1, updated: 0, content: .deleted), group).id
  }

  /// A push as somebody sends it who has the keys, and does not know the documents' lineages.
  func sealed(_ push: PushRequest) throws -> PushRequest {
    try edges[push.group]?.seal(OutgoingPush(request: push)).request ?? push
  }
}

// A server that lies.

extension Simulation {
  /// A page as a replica gets it from a server that shows old, wrong, damaged and made-up values.
  mutating func tampered(_ page: PullPage, for number: Int) throws -> PullPage {
    guard traits.isTampering, isHostile, random.oneIn(3) else { return page }
    var page = page
    for index in page.documents.indices where random.oneIn(2) {
      let document = page.documents[index]
      guard case .value(let payload) = document.content else { continue }
      let id = sealing.revealed(document, page.group).id
      let lie = try lie(about: document, payload, id, page.group, to: number)
      guard let lie, lie != payload else { continue }
      page.documents[index].content = .value(lie)
      // Under its pseudonym where the replica has not met it before.
      replicas[number].deceived.formUnion([id, "unopened:\(document.id)"])
    }
    return page
  }

  private mutating func lie(
    about document: Document, _ payload: Payload, _ id: String, _ group: String, to number: Int
  ) throws -> Payload? {
    switch Int.random(in: 0..<4, using: &random) {
    case 0:
      // An older value of the document. What creates one is known again only by those who have seen the document.
      let older = store.sealedWrites[.init(group: group, id: id)]?.randomElement(using: &random)
      guard let older else { return nil }
      var lie = document
      lie.content = .value(older.payload)
      let isKnown = try sealing.item(lie, group).map { replicas[number].machine.hasSeen($0) } ?? false
      return isKnown || older.madeOn > 0 ? older.payload : nil
    case 1:
      let other = store.sealedWrites.keys.filter { $0.group == group && $0.id != id }.sorted()
        .randomElement(using: &random)
      return other.flatMap { store.sealedWrites[$0]?.last?.payload }
    case 2: return try damaged(payload)
    default: return try StoredValue(.string("made up by the server")).payload
    }
  }

  private mutating func damaged(_ payload: Payload) throws -> Payload? {
    guard case .tagged(let tagged) = try StoredValue(payload).value, case .array(var parts) = tagged.rep,
      let place = parts.indices.dropFirst().randomElement(using: &random),
      case .string(let text) = parts[place]
    else { return nil }
    // Another digit, of keys' names and of base64.
    var digits = Array(text.utf8)
    let index = Int.random(in: 0..<(digits.count - 4), using: &random)
    digits[index] = digits[index] == UInt8(ascii: "1") ? UInt8(ascii: "2") : UInt8(ascii: "1")
    parts[place] = .string(String(decoding: digits, as: UTF8.self))
    return try StoredValue(.tagged(tagged.tag, .array(parts))).payload
  }
}
