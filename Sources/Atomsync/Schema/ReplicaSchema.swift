package import AtomsyncCore
internal import Foundation
package import Transit

// How a replica's documents lie in a store: one row per document and concern, so that a change writes what it touches.

/// The keys of one atom.
package struct ReplicaKeys: Sendable {
  private let atom: String
  // Kept, because a key is made for each row that is written.
  private let bases: TupleKey
  private let pendings: TupleKey
  private let verdicts: TupleKey

  init(atom: String) {
    self.atom = atom
    bases = TupleKey(.base).appending(atom)
    pendings = TupleKey(.pending).appending(atom)
    verdicts = TupleKey(.verdict).appending(atom)
  }

  var atomRow: [UInt8] { TupleKey(.atom).appending(atom).bytes }
  var inFlight: [UInt8] { TupleKey(.inFlight).appending(atom).bytes }
  func base(_ id: String) -> [UInt8] { bases.appending(id).bytes }
  func pending(_ id: String) -> [UInt8] { pendings.appending(id).bytes }
  func rejected(_ id: String) -> [UInt8] { TupleKey(.rejected).appending(atom).appending(id).bytes }
  func conflict(_ number: Int64) -> [UInt8] { TupleKey(.conflict).appending(atom).appending(number).bytes }
  func verdict(_ id: String, _ edit: Int64) -> [UInt8] { verdicts.appending(id).appending(edit).bytes }
  /// The verdicts on a document's edits from `edit` on.
  package func verdicts(_ id: String, from edit: Int64) -> KeyRange {
    let prefix = verdicts.appending(id).bytes
    return KeyRange(from: verdict(id, edit), to: KeyRange.successor(ofPrefix: prefix))
  }
  /// All rows of one kind.
  func all(_ space: Space) -> KeyRange { KeyRange(prefix: TupleKey(space).appending(atom).bytes) }
  /// The document that one of this atom's rows is of, of any kind that has one.
  func id(in key: [UInt8]) -> String? { TupleKey.text(in: key, after: bases.bytes.count) }
}

/// A value in both its forms: as people see it, and as it is stored and sent.
package struct StoredValue: Equatable, Sendable {
  package let value: TransitValue
  package let payload: Payload

  package init(_ value: TransitValue) throws {
    self.value = value
    payload = Payload(bytes: try value.transit(.msgpack))
  }

  package init(_ payload: Payload) throws {
    self.payload = payload
    value = try TransitValue(transit: payload.bytes, format: .msgpack)
  }

  package static func == (left: StoredValue, right: StoredValue) -> Bool {
    left.payload == right.payload || left.value == right.value
  }
}

extension Content {
  init(_ value: StoredValue?) { self = value.map { .value($0.payload) } ?? .deleted }
}

/// What an atom remembers of its server and itself.
struct AtomRecord: Equatable, Sendable {
  /// Names this replica to the server.
  var client: UUID
  /// The number of the last push that was frozen.
  var push: Int64 = 0
  /// The number of the last local edit.
  var edit: Int64 = 0
  /// The number of the last conflict.
  var conflict: Int64 = 0
  /// How far the base goes.
  var cursor: Cursor?
  /// Rises with each reset; base rows of an older generation fall when the reset completes.
  var generation: Int64 = 0
  /// A reset's pages are coming in.
  var isResetting = false
  /// The whole content has been here at least once.
  var hasSynced = false
  /// The user that the server took us for.
  var user: String?
  /// The permission to read was withdrawn, and has not come back.
  var isRevoked = false

  init(client: UUID) { self.client = client }

  init(_ bytes: [UInt8]) throws {
    var reader = RecordReader(bytes)
    client = try reader.uuid()
    push = try reader.number()
    edit = try reader.number()
    conflict = try reader.number()
    cursor = try reader.optional { Cursor(try $0.text()) }
    generation = try reader.number()
    isResetting = try reader.flag()
    hasSynced = try reader.flag()
    user = try reader.optional { try $0.text() }
    isRevoked = reader.isAtEnd ? false : try reader.flag()
  }

  var bytes: [UInt8] {
    var writer = RecordWriter(reserving: 128)
    writer.write(client)
    writer.write(push)
    writer.write(edit)
    writer.write(conflict)
    writer.write(cursor?.text) { $0.write($1) }
    writer.write(generation)
    writer.write(isResetting)
    writer.write(hasSynced)
    writer.write(user) { $0.write($1) }
    writer.write(isRevoked)
    return writer.bytes
  }
}

/// The server's document, as far as the pages have told.
struct BaseDocument: Equatable, Sendable {
  var version: Int64
  var updated: Int64
  var generation: Int64
  /// `nil`: a tombstone that a verdict told of. In memory only, and only until its page has come, so that a page
  /// that was read before cannot bring the document back for a moment.
  var value: StoredValue?

  init(version: Int64, updated: Int64, generation: Int64, value: StoredValue?) {
    self.version = version
    self.updated = updated
    self.generation = generation
    self.value = value
  }

  init(row bytes: [UInt8]) throws {
    var reader = RecordReader(bytes)
    version = try reader.number()
    updated = try reader.number()
    generation = try reader.number()
    value = try StoredValue(try reader.payload())
  }

  func row(_ payload: Payload) -> [UInt8] {
    var writer = RecordWriter(reserving: payload.bytes.count + 28)
    writer.write(version)
    writer.write(updated)
    writer.write(generation)
    writer.write(payload.bytes)
    return writer.bytes
  }
}

/// A document's local edits that the server has not confirmed, as one: what it was, and what it is to be.
struct PendingEdit: Equatable, Sendable {
  /// The first and last of the edits that make this one.
  var firstEdit: Int64
  var edit: Int64
  /// The version that the edits were made on; 0 for "does not exist".
  var baseVersion: Int64
  /// The value at that version.
  var base: StoredValue?
  /// The value to be; `nil` to delete.
  var value: StoredValue?
  /// The edits that must reach the server together with this one bear the same number.
  var atomic: Int64?
  /// When the first edit was made, in milliseconds since 1970.
  var made: Int64
  /// Values of pushes that were taken apart while nobody knew whether the server had taken them: to meet one of
  /// them there is no conflict.
  var sent: [StoredValue?] = []
  /// The server's document that a merge is being found for. Not stored: it is found again.
  var openConflict: BaseDocument?

  /// An edit of what the server has, before it has changed anything.
  init(on document: BaseDocument?, first number: Int64, made: Int64) {
    firstEdit = number
    edit = number
    base = document?.value
    baseVersion = base == nil ? 0 : document?.version ?? 0
    value = base
    self.made = made
  }

  /// Whether the edit goes away when its value is the base's again: only while nobody else has anything to say on it.
  var canBeUndone: Bool { atomic == nil && openConflict == nil && sent.isEmpty }

  init(row bytes: [UInt8]) throws {
    var reader = RecordReader(bytes)
    firstEdit = try reader.number()
    edit = try reader.number()
    baseVersion = try reader.number()
    base = try reader.optional { try StoredValue(try $0.payload()) }
    value = try reader.optional { try StoredValue(try $0.payload()) }
    atomic = try reader.optional { try $0.number() }
    made = try reader.number()
    sent = try reader.list { try $0.optional { try StoredValue(try $0.payload()) } }
  }

  var row: [UInt8] {
    let size = (base?.payload.bytes.count ?? 0) + (value?.payload.bytes.count ?? 0)
    var writer = RecordWriter(reserving: size + 64)
    writer.write(firstEdit)
    writer.write(edit)
    writer.write(baseVersion)
    writer.write(base) { $0.write($1.payload.bytes) }
    writer.write(value) { $0.write($1.payload.bytes) }
    writer.write(atomic) { $0.write($1) }
    writer.write(made)
    writer.list(sent) { writer, value in writer.write(value) { $0.write($1.payload.bytes) } }
    return writer.bytes
  }
}

/// A push as it was stored before it was first sent: sent again as it is until its verdicts are known.
struct FrozenPush: Equatable, Sendable {
  struct Entry: Equatable, Sendable {
    var id: String
    /// The last local edit that the entry contains.
    var edit: Int64
    var version: Int64
    var value: StoredValue?
  }

  var ticket: PushTicket
  /// Where the versions come from.
  var cursor: Cursor?
  var isAtomic: Bool
  var entries: [Entry]

  init(ticket: PushTicket, cursor: Cursor?, isAtomic: Bool, entries: [Entry]) {
    self.ticket = ticket
    self.cursor = cursor
    self.isAtomic = isAtomic
    self.entries = entries
  }

  init(row bytes: [UInt8]) throws {
    var reader = RecordReader(bytes)
    ticket = PushTicket(client: try reader.uuid(), number: try reader.number())
    isAtomic = try reader.flag()
    entries = try reader.list { reader in
      Entry(
        id: try reader.text(), edit: try reader.number(), version: try reader.number(),
        value: try reader.optional { try StoredValue(try $0.payload()) })
    }
    cursor = reader.isAtEnd ? nil : try reader.optional { Cursor(try $0.text()) }
  }

  var row: [UInt8] {
    var writer = RecordWriter(reserving: 256)
    writer.write(ticket.client)
    writer.write(ticket.number)
    writer.write(isAtomic)
    writer.list(entries) { writer, entry in
      writer.write(entry.id)
      writer.write(entry.edit)
      writer.write(entry.version)
      writer.write(entry.value) { $0.write($1.payload.bytes) }
    }
    writer.write(cursor?.text) { $0.write($1) }
    return writer.bytes
  }

  func request(group: String, user: String?) -> PushRequest {
    PushRequest(
      group: group, ticket: ticket, isAtomic: isAtomic,
      edits: entries.map { Edit(id: $0.id, version: $0.version, content: Content($0.value)) }, user: user,
      cursor: cursor)
  }
}
