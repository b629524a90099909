public import Transit

internal import struct Foundation.UUID

extension PullPage: WireMessage {
  /// Writes the page as the answer to a pull. (Docs/Protocol.md §2.)
  public func write(to writer: inout TransitWriter) throws {
    let optionals = (isReset ? 1 : 0) + (user == nil ? 0 : 1) + (store == nil ? 0 : 1)
    try writer.beginMap(count: 5 + optionals)
    try writer.field(Keys.group, group)
    try writer.list(Keys.docs, documents) { writer, document in try document.write(to: &writer) }
    if let store { try writer.field(Keys.store, store) }
    try writer.field(Keys.cursor, cursor.text)
    try writer.field(Keys.more, hasMore)
    if isReset { try writer.field(Keys.reset, true) }
    if let user { try writer.field(Keys.user, user) }
    try writer.field(Keys.now, now)
    try writer.endMap()
  }

  /// Reads the answer to a pull. The group, the documents, the cursor and `:more` have to be there.
  public init(from reader: inout TransitReader) throws {
    var group: String?
    var documents: [Document]?
    var cursor: String?
    var hasMore: Bool?
    var isReset = false
    var now: Int64 = 0
    var user: String?
    var store: UUID?
    try reader.fields { name, reader in
      switch name {
      case "group": group = try reader.readString()
      case "docs": documents = try reader.list { try Document(from: &$0) }
      case "cursor": cursor = try reader.readString()
      case "more": hasMore = try reader.readBool()
      case "reset": isReset = try reader.readBool()
      case "now": now = try reader.readInt()
      case "user": user = try reader.readString()
      case "store": store = try reader.readUUID()
      default: return false
      }
      return true
    }
    self.init(
      group: try reader.required(group, "group"),
      documents: try reader.required(documents, "docs"), store: store,
      cursor: Cursor(try reader.required(cursor, "cursor")),
      hasMore: try reader.required(hasMore, "more"),
      isReset: isReset, now: now, user: user)
  }
}

extension Document: WireMessage {
  /// Writes the document, with its value or `:deleted true`.
  public func write(to writer: inout TransitWriter) throws {
    try writer.beginMap(count: 4)
    try writer.field(Keys.id, id)
    try writer.field(content)
    try writer.field(Keys.version, version)
    try writer.field(Keys.updated, updated)
    try writer.endMap()
  }

  /// Reads a document. The id, the version, and a value or `:deleted true` have to be there.
  public init(from reader: inout TransitReader) throws {
    var fields = DocumentFields()
    try reader.fields { try fields.read($0, &$1) }
    self.init(
      id: try reader.required(fields.id, "id"),
      version: try reader.required(fields.version, "version"),
      updated: fields.updated,
      content: try fields.content(reader))
  }
}

/// The fields that documents, edits and rejections share.
struct DocumentFields {
  var id: String?
  var version: Int64?
  var updated: Int64 = 0
  var value: Payload?
  var isDeleted = false

  mutating func read(_ name: String, _ reader: inout TransitReader) throws -> Bool {
    switch name {
    case "id": id = try reader.readString()
    case "version": version = try reader.readInt()
    case "updated": updated = try reader.readInt()
    case "value": value = try reader.readPayload()
    case "deleted": isDeleted = try reader.readBool()
    default: return false
    }
    return true
  }

  func content(_ reader: TransitReader) throws -> Content {
    if isDeleted { return .deleted }
    guard let value else {
      throw MessageError("A document has neither :value nor :deleted true.", offset: reader.offset)
    }
    return .value(value)
  }
}
