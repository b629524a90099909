/// Takes the parts of a type with coding keys.
struct KeyedEncoding<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let encoder: ValueEncoder

  var codingPath: [any CodingKey] { encoder.codingPath }

  @inline(__always)
  private func add(_ key: Key, _ value: TransitValue) {
    encoder.add(encoder.context.key(key), value)
  }

  private func open(_ key: some CodingKey) -> ValueEncoder {
    encoder.open(encoder.context.key(key), .key(key))
  }

  mutating func encodeNil(forKey key: Key) throws { add(key, .null) }

  mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
    add(key, try encoder.encode(value, .key(key)))
  }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> {
    open(key).container(keyedBy: type)
  }

  mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    open(key).unkeyedContainer()
  }

  mutating func superEncoder() -> any Encoder { open(PlainKey.superKey) }

  mutating func superEncoder(forKey key: Key) -> any Encoder { open(key) }
}

extension KeyedEncoding {
  mutating func encode(_ value: Bool, forKey key: Key) throws { add(key, .bool(value)) }
  mutating func encode(_ value: String, forKey key: Key) throws { add(key, .string(value)) }
  mutating func encode(_ value: Double, forKey key: Key) throws { add(key, .double(value)) }
  mutating func encode(_ value: Float, forKey key: Key) throws { add(key, .double(Double(value))) }
  mutating func encode(_ value: Int, forKey key: Key) throws { add(key, .integer(value)) }
  mutating func encode(_ value: Int8, forKey key: Key) throws { add(key, .integer(value)) }
  mutating func encode(_ value: Int16, forKey key: Key) throws { add(key, .integer(value)) }
  mutating func encode(_ value: Int32, forKey key: Key) throws { add(key, .integer(value)) }
  mutating func encode(_ value: Int64, forKey key: Key) throws { add(key, .int(value)) }
  mutating func encode(_ value: UInt, forKey key: Key) throws { add(key, .integer(value)) }
  mutating func encode(_ value: UInt8, forKey key: Key) throws { add(key, .integer(value)) }
  mutating func encode(_ value: UInt16, forKey key: Key) throws { add(key, .integer(value)) }
  mutating func encode(_ value: UInt32, forKey key: Key) throws { add(key, .integer(value)) }
  mutating func encode(_ value: UInt64, forKey key: Key) throws { add(key, .integer(value)) }
  mutating func encode(_ value: Int128, forKey key: Key) throws { add(key, .integer(value)) }
  mutating func encode(_ value: UInt128, forKey key: Key) throws { add(key, .integer(value)) }
}
