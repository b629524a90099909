internal import AtomsyncCore
internal import Foundation

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
  /// Where the versions come from: how far the pages went, and the verdicts.
  var cursor: Cursor?
  var seen: Cursor?
  var isAtomic: Bool
  var entries: [Entry]

  private enum Field: UInt8, RowField {
    case client = 1
    case number, atomic, cursor, seen, entries
  }

  private enum EntryField: UInt8, RowField {
    case id = 1
    case edit, version, value
  }

  init(ticket: PushTicket, cursor: Cursor?, seen: Cursor?, isAtomic: Bool, entries: [Entry]) {
    self.ticket = ticket
    self.cursor = cursor
    self.seen = seen
    self.isAtomic = isAtomic
    self.entries = entries
  }

  init(row bytes: [UInt8]) throws {
    var reader = try RowReader(bytes)
    var client: UUID?
    var number: Int64?
    var push = FrozenPush(
      ticket: PushTicket(client: .zero, number: 0), cursor: nil, seen: nil, isAtomic: false, entries: [])
    while let field = try reader.next(Field.self) {
      switch field {
      case .client: client = try reader.uuid()
      case .number: number = try reader.count()
      case .atomic: push.isAtomic = try reader.flag()
      case .cursor: push.cursor = Cursor(try reader.text())
      case .seen: push.seen = Cursor(try reader.text())
      case .entries: push.entries.append(try Self.entry(try reader.row()))
      }
    }
    push.ticket = PushTicket(client: try reader.required(client), number: try reader.required(number))
    self = push
  }

  private static func entry(_ row: RowReader) throws -> Entry {
    var reader = row
    var id: String?
    var edit: Int64?
    var version: Int64 = 0
    var value: StoredValue?
    while let field = try reader.next(EntryField.self) {
      switch field {
      case .id: id = try reader.text()
      case .edit: edit = try reader.count()
      case .version: version = try reader.count()
      case .value: value = try reader.value()
      }
    }
    return Entry(
      id: try reader.required(id), edit: try reader.required(edit), version: version, value: value)
  }

  var row: [UInt8] {
    var writer = RowWriter(reserving: 256)
    writer.write(Field.client, ticket.client)
    writer.write(Field.number, ticket.number)
    writer.write(Field.atomic, flag: isAtomic)
    writer.write(Field.cursor, cursor?.text)
    writer.write(Field.seen, seen?.text)
    writer.write(Field.entries, each: entries) { writer, entry in
      writer.write(EntryField.id, entry.id)
      writer.write(EntryField.edit, entry.edit)
      writer.write(EntryField.version, entry.version)
      writer.write(EntryField.value, entry.value)
    }
    return writer.bytes
  }

  func request(group: String, user: String?) -> PushRequest {
    PushRequest(
      group: group, ticket: ticket, isAtomic: isAtomic,
      edits: entries.map { Edit(id: $0.id, version: $0.version, content: Content($0.value)) }, user: user,
      cursor: cursor, seen: seen)
  }
}
