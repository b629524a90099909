/// Takes the elements of a type in order.
struct UnkeyedEncoding: UnkeyedEncodingContainer {
  let encoder: ValueEncoder

  var codingPath: [any CodingKey] { encoder.codingPath }
  var count: Int { encoder.count }

  @inline(__always)
  private func add(_ value: TransitValue) { encoder.add(value) }

  private func open() -> ValueEncoder {
    encoder.open(nil, .index(count))
  }

  mutating func encodeNil() throws { add(.null) }

  mutating func encode<T: Encodable>(_ value: T) throws {
    add(try encoder.encode(value, .index(count)))
  }

  mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<
    Nested
  > {
    open().container(keyedBy: type)
  }

  mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { open().unkeyedContainer() }

  mutating func superEncoder() -> any Encoder { open() }
}

extension UnkeyedEncoding {
  mutating func encode(_ value: Bool) throws { add(.bool(value)) }
  mutating func encode(_ value: String) throws { add(.string(value)) }
  mutating func encode(_ value: Double) throws { add(.double(value)) }
  mutating func encode(_ value: Float) throws { add(.double(Double(value))) }
  mutating func encode(_ value: Int) throws { add(.integer(value)) }
  mutating func encode(_ value: Int8) throws { add(.integer(value)) }
  mutating func encode(_ value: Int16) throws { add(.integer(value)) }
  mutating func encode(_ value: Int32) throws { add(.integer(value)) }
  mutating func encode(_ value: Int64) throws { add(.int(value)) }
  mutating func encode(_ value: UInt) throws { add(.integer(value)) }
  mutating func encode(_ value: UInt8) throws { add(.integer(value)) }
  mutating func encode(_ value: UInt16) throws { add(.integer(value)) }
  mutating func encode(_ value: UInt32) throws { add(.integer(value)) }
  mutating func encode(_ value: UInt64) throws { add(.integer(value)) }
  mutating func encode(_ value: Int128) throws { add(.integer(value)) }
  mutating func encode(_ value: UInt128) throws { add(.integer(value)) }
}
