public import Transit

internal import struct Foundation.UUID

extension PushRequest: WireMessage {
  /// A push may nest 512 levels deep, which is less than an answer may.
  public static var depth: Int { TransitLimits.standard.depth }

  /// Writes the body of a push. (Docs/Protocol.md §3.)
  public func write(to writer: inout TransitWriter) throws {
    let optionals = (ticket == nil ? 0 : 2) + (isAtomic ? 1 : 0) + (user == nil ? 0 : 1)
    try writer.beginMap(count: 2 + optionals + (cursor == nil ? 0 : 1) + (seen == nil ? 0 : 1))
    try writer.field(Keys.group, group)
    if let ticket {
      try writer.field(Keys.client, ticket.client)
      try writer.field(Keys.push, ticket.number)
    }
    if isAtomic { try writer.field(Keys.atomic, true) }
    if let user { try writer.field(Keys.user, user) }
    if let cursor { try writer.field(Keys.cursor, cursor.text) }
    if let seen { try writer.field(Keys.seen, seen.text) }
    try writer.list(Keys.docs, edits) { writer, edit in
      try writer.beginMap(count: 3)
      try writer.field(Keys.id, edit.id)
      try writer.field(Keys.version, edit.version)
      try writer.field(edit.content)
      try writer.endMap()
    }
    try writer.endMap()
  }

  /// Reads the body of a push. The client and the push's number have to be there together, or not at all.
  public init(from reader: inout TransitReader) throws {
    var group: String?
    var client: UUID?
    var push: Int64?
    var isAtomic = false
    var user: String?
    var cursor: String?
    var seen: String?
    var edits: [Edit]?
    try reader.fields { name, reader in
      switch name {
      case "group": group = try reader.readString()
      case "client": client = try reader.readUUID()
      case "push": push = try reader.readInt()
      case "atomic": isAtomic = try reader.readBool()
      case "user": user = try reader.readString()
      case "cursor": cursor = try reader.readString()
      case "seen": seen = try reader.readString()
      case "docs": edits = try reader.list { try Edit(from: &$0) }
      default: return false
      }
      return true
    }
    guard (client == nil) == (push == nil) else {
      throw MessageError("A push has :client and :push, or neither.", offset: reader.offset)
    }
    self.init(
      group: try reader.required(group, "group"),
      ticket: client.flatMap { client in push.map { PushTicket(client: client, number: $0) } },
      isAtomic: isAtomic,
      edits: try reader.required(edits, "docs"),
      user: user, cursor: cursor.map { Cursor($0) }, seen: seen.map { Cursor($0) })
  }
}

extension Edit {
  fileprivate init(from reader: inout TransitReader) throws {
    var fields = DocumentFields()
    try reader.fields { try fields.read($0, &$1) }
    self.init(
      id: try reader.required(fields.id, "id"),
      version: fields.version ?? 0,
      content: try fields.content(reader))
  }
}

extension PushAnswer: WireMessage {
  /// Writes the answer to a push. (Docs/Protocol.md §3.)
  public func write(to writer: inout TransitWriter) throws {
    try writer.beginMap(count: 4 + (seen == nil ? 0 : 1) + (isReset ? 1 : 0))
    try writer.field(Keys.group, group)
    try writer.list(Keys.accepted, accepted) { writer, acceptance in
      try writer.beginMap(count: 3)
      try writer.field(Keys.id, acceptance.id)
      try writer.field(Keys.version, acceptance.version)
      try writer.field(Keys.updated, acceptance.updated)
      try writer.endMap()
    }
    try writer.list(Keys.rejected, rejected) { writer, rejection in try rejection.write(to: &writer) }
    if let seen { try writer.field(Keys.seen, seen.text) }
    if isReset { try writer.field(Keys.reset, true) }
    try writer.field(Keys.now, now)
    try writer.endMap()
  }

  /// Reads the answer to a push. The group and both lists have to be there.
  public init(from reader: inout TransitReader) throws {
    var group: String?
    var accepted: [Acceptance]?
    var rejected: [Rejection]?
    var seen: String?
    var isReset = false
    var now: Int64 = 0
    try reader.fields { name, reader in
      switch name {
      case "group": group = try reader.readString()
      case "accepted": accepted = try reader.list { try Acceptance(from: &$0) }
      case "rejected": rejected = try reader.list { try Rejection(from: &$0) }
      case "seen": seen = try reader.readString()
      case "reset": isReset = try reader.readBool()
      case "now": now = try reader.readInt()
      default: return false
      }
      return true
    }
    self.init(
      group: try reader.required(group, "group"),
      accepted: try reader.required(accepted, "accepted"),
      rejected: try reader.required(rejected, "rejected"), seen: seen.map { Cursor($0) },
      isReset: isReset, now: now)
  }
}

extension PushAnswer.Acceptance {
  fileprivate init(from reader: inout TransitReader) throws {
    var fields = DocumentFields()
    try reader.fields { try fields.read($0, &$1) }
    self.init(
      id: try reader.required(fields.id, "id"),
      version: try reader.required(fields.version, "version"),
      updated: fields.updated)
  }
}

extension PushAnswer.Rejection {
  fileprivate func write(to writer: inout TransitWriter) throws {
    try writer.beginMap(count: 2 + (current == nil ? 0 : 3) + (message == nil ? 0 : 1))
    try writer.field(Keys.id, id)
    try writer.field(Keys.reason, Keyword(reason.text))
    if let current {
      try writer.field(current.content)
      try writer.field(Keys.version, current.version)
      try writer.field(Keys.updated, current.updated)
    }
    if let message { try writer.field(Keys.message, message) }
    try writer.endMap()
  }

  fileprivate init(from reader: inout TransitReader) throws {
    var fields = DocumentFields()
    var (reason, message): (String?, String?) = (nil, nil)
    try reader.fields { name, reader in
      switch name {
      case "reason": reason = try reader.readKeyword().text
      case "message": message = try reader.readString()
      default: return try fields.read(name, &reader)
      }
      return true
    }
    let id = try reader.required(fields.id, "id")
    var current: Document?
    if let version = fields.version {
      current = Document(
        id: id, version: version, updated: fields.updated, content: try fields.content(reader))
    }
    self.init(
      id: id, reason: RejectionReason(try reader.required(reason, "reason")), current: current,
      message: message)
  }
}
