package import AtomsyncCore
package import Transit

/// A value in both its forms: as people see it, and as it is stored and sent.
package struct StoredValue: Equatable, Sendable {
  package let value: TransitValue
  package let payload: Payload

  /// How deep a document may nest: with the levels of a push around it, it stays below what a server reads.
  private static let depth = 500

  /// A value of the application's: the one way in.
  ///
  /// - Throws: `TransitError` for a value that cannot be encoded, or is nested deeper than 500 levels; ``UnopenedDocument`` for
  ///   what stands for one, which is nobody's value.
  package init(_ value: TransitValue) throws {
    if let unopened = UnopenedDocument(value) { throw unopened }
    try self.init(value: value)
  }

  /// What stands for a document that cannot be opened.
  init(_ unopened: UnopenedDocument) throws { try self.init(value: unopened.value) }

  private init(value: TransitValue) throws {
    self.value = value
    payload = Payload(bytes: try value.transit(.msgpack, limits: TransitLimits(depth: Self.depth)))
  }

  /// - Throws: `TransitError` for bytes that are no value.
  package init(_ payload: Payload) throws {
    self.payload = payload
    value = try TransitValue(transit: payload.bytes, format: .msgpack)
  }

  package static func == (left: StoredValue, right: StoredValue) -> Bool {
    left.payload == right.payload || left.value == right.value
  }

  /// The size as stored, in bytes.
  package var byteCount: Int { payload.bytes.count }
}

extension Content {
  init(_ value: StoredValue?) { self = value.map { .value($0.payload) } ?? .deleted }
}

extension RowWriter {
  mutating func write(_ field: some RowField, _ value: StoredValue?) {
    write(field, value?.payload.bytes)
  }
}

extension RowReader {
  mutating func value() throws -> StoredValue { try StoredValue(try payload()) }
}
