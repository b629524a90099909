internal import Transit

internal import struct Foundation.UUID

// Shorthand for the maps with keyword keys that every message is made of.

extension TransitWriter {
  mutating func field(_ name: Keyword, _ text: String) throws {
    try write(name)
    try write(text)
  }

  mutating func field(_ name: Keyword, _ number: Int64) throws {
    try write(name)
    try write(number)
  }

  mutating func field(_ name: Keyword, _ flag: Bool) throws {
    try write(name)
    try write(flag)
  }

  mutating func field(_ name: Keyword, _ keyword: Keyword) throws {
    try write(name)
    try write(keyword)
  }

  mutating func field(_ name: Keyword, _ id: UUID) throws {
    try write(name)
    try write(id)
  }

  /// `:value …` or `:deleted true`.
  mutating func field(_ content: Content) throws {
    switch content {
    case .value(let payload):
      try write(Keys.value)
      try write(encoded: payload.bytes, format: .msgpack)
    case .deleted:
      try field(Keys.deleted, true)
    }
  }

  mutating func list<Element>(
    _ name: Keyword, _ elements: [Element], _ each: (inout TransitWriter, Element) throws -> Void
  ) throws {
    try write(name)
    try beginArray(count: elements.count)
    for element in elements { try each(&self, element) }
    try endArray()
  }
}

extension TransitReader {
  /// Reads a map and hands each key to `field`, which reads the value and answers true, or answers false and
  /// leaves it: fields that are not known are skipped, so that newer peers may add some.
  mutating func fields(_ field: (String, inout TransitReader) throws -> Bool) throws {
    try beginMap()
    while let key = try nextKey() {
      guard case .keyword(let keyword) = key, try field(keyword.text, &self) else {
        try skipValue()
        continue
      }
    }
  }

  mutating func list<Element>(_ element: (inout TransitReader) throws -> Element) throws -> [Element] {
    var elements: [Element] = []
    try beginArray()
    while try hasNextElement() { elements.append(try element(&self)) }
    return elements
  }

  mutating func readPayload() throws -> Payload { Payload(bytes: try readEncoded(as: .msgpack)) }

  func required<Value>(_ value: Value?, _ name: String) throws -> Value {
    guard let value else { throw MessageError("The message has no :\(name).", offset: offset) }
    return value
  }
}

/// The keywords of the protocol. (Docs/Protocol.md §2, §3, §7.)
enum Keys {
  static let group = Keyword("group")
  static let docs = Keyword("docs")
  static let cursor = Keyword("cursor")
  static let seen = Keyword("seen")
  static let store = Keyword("store")
  static let more = Keyword("more")
  static let reset = Keyword("reset")
  static let now = Keyword("now")
  static let user = Keyword("user")
  static let id = Keyword("id")
  static let value = Keyword("value")
  static let deleted = Keyword("deleted")
  static let version = Keyword("version")
  static let updated = Keyword("updated")
  static let client = Keyword("client")
  static let push = Keyword("push")
  static let atomic = Keyword("atomic")
  static let accepted = Keyword("accepted")
  static let rejected = Keyword("rejected")
  static let reason = Keyword("reason")
  static let error = Keyword("error")
  static let message = Keyword("message")
  static let limit = Keyword("limit")
  static let offset = Keyword("offset")
}
