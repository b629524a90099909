/// Takes the one value that a type consists of.
struct SingleEncoding: SingleValueEncodingContainer {
  let encoder: ValueEncoder

  var codingPath: [any CodingKey] { encoder.codingPath }

  @inline(__always)
  private func set(_ value: TransitValue) { encoder.set(value) }

  mutating func encodeNil() throws { set(.null) }

  mutating func encode<T: Encodable>(_ value: T) throws { set(try encoder.encode(value, nil)) }

  mutating func encode(_ value: String) throws {
    set(encoder.isRaw && !value.isEmpty ? .keyword(Keyword(value)) : .string(value))
  }

  mutating func encode(_ value: Bool) throws { set(.bool(value)) }
  mutating func encode(_ value: Double) throws { set(.double(value)) }
  mutating func encode(_ value: Float) throws { set(.double(Double(value))) }
  mutating func encode(_ value: Int) throws { set(.integer(value)) }
  mutating func encode(_ value: Int8) throws { set(.integer(value)) }
  mutating func encode(_ value: Int16) throws { set(.integer(value)) }
  mutating func encode(_ value: Int32) throws { set(.integer(value)) }
  mutating func encode(_ value: Int64) throws { set(.integer(value)) }
  mutating func encode(_ value: UInt) throws { set(.integer(value)) }
  mutating func encode(_ value: UInt8) throws { set(.integer(value)) }
  mutating func encode(_ value: UInt16) throws { set(.integer(value)) }
  mutating func encode(_ value: UInt32) throws { set(.integer(value)) }
  mutating func encode(_ value: UInt64) throws { set(.integer(value)) }
  mutating func encode(_ value: Int128) throws { set(.integer(value)) }
  mutating func encode(_ value: UInt128) throws { set(.integer(value)) }
}
