/// Shows a map to a type with coding keys.
struct KeyedDecoding<Key: CodingKey>: KeyedDecodingContainerProtocol {
  private let decoder: ValueDecoder
  /// Keys and values in turn, in the map that the decoder keeps.
  private let entries: UnsafeBufferPointer<TransitValue>

  init(_ map: TransitMap, of decoder: ValueDecoder) {
    self.decoder = decoder
    entries = map.entriesInPlace
  }

  var codingPath: [any CodingKey] { decoder.codingPath }

  var allKeys: [Key] {
    stride(from: 0, to: entries.count, by: 2).compactMap { position in
      switch entries[position] {
      case .keyword(let keyword): Key(stringValue: keyword.text)
      case .string(let text): Key(stringValue: text)
      case .int(let number):
        Int(exactly: number).flatMap { Key(intValue: $0) } ?? Key(stringValue: String(number))
      default: nil
      }
    }
  }

  /// Looks first where the last key was found: types mostly ask in the order in which they were written.
  @inline(__always)
  private func find(_ key: Key) -> UnsafePointer<TransitValue>? {
    let context = decoder.context
    let expected = context.hint.pointee
    if expected < entries.count, let start = entries.baseAddress,
      TransitMap.isNamed(start + expected, key.stringValue, keyword: context.prefersKeywords)
    {
      context.hint.pointee = expected &+ 2
      return start + (expected &+ 1)
    }
    return search(key)
  }

  private func search(_ key: Key) -> UnsafePointer<TransitValue>? {
    guard case .map(let map) = decoder.value, let start = entries.baseAddress else { return nil }
    let (name, keyword) = (key.stringValue, decoder.context.prefersKeywords)
    let position =
      map.position(named: name, keyword: keyword) ?? map.position(named: name, keyword: !keyword)
      ?? key.intValue.flatMap { map.position(of: .int(Int64($0))) }
    guard let position else { return nil }
    decoder.context.hint.pointee = 2 * position + 2
    return start + (2 * position + 1)
  }

  @inline(__always)
  private func value(_ key: Key) throws -> UnsafePointer<TransitValue> {
    if let value = find(key) { return value }
    throw DecodingError.keyNotFound(
      key, DecodingError.Context(codingPath: codingPath, debugDescription: "no key '\(key.stringValue)'"))
  }

  @inline(__always)
  private func primitive<T: Primitive>(_ type: T.Type, _ key: Key) throws -> T {
    try decoder.primitive(type, try value(key), .key(key))
  }

  /// The decoder of a part.
  private func part(_ key: Key) throws -> ValueDecoder { decoder.inner(try value(key).pointee, .key(key)) }

  func contains(_ key: Key) -> Bool { find(key) != nil }

  func decodeNil(forKey key: Key) throws -> Bool { try value(key).pointee.isNull }

  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
    try decoder.decode(type, try value(key), .key(key))
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    try part(key).container(keyedBy: type)
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try part(key).unkeyedContainer()
  }

  func superDecoder() throws -> any Decoder {
    guard case .map(let map) = decoder.value else { return decoder.inner(.null, .key(PlainKey.superKey)) }
    return decoder.inner(map[.keyword(Keyword("super"))] ?? map["super"] ?? .null, .key(PlainKey.superKey))
  }

  func superDecoder(forKey key: Key) throws -> any Decoder {
    decoder.inner(find(key)?.pointee ?? .null, .key(key))
  }
}

extension KeyedDecoding {
  func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try primitive(type, key) }
  func decode(_ type: String.Type, forKey key: Key) throws -> String { try primitive(type, key) }
  func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try primitive(type, key) }
  func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try primitive(type, key) }
  func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try primitive(type, key) }
  func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try primitive(type, key) }
  func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try primitive(type, key) }
  func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try primitive(type, key) }
  func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try primitive(type, key) }
  func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try primitive(type, key) }
  func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try primitive(type, key) }
  func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try primitive(type, key) }
  func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try primitive(type, key) }
  func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try primitive(type, key) }
  func decode(_ type: Int128.Type, forKey key: Key) throws -> Int128 { try primitive(type, key) }
  func decode(_ type: UInt128.Type, forKey key: Key) throws -> UInt128 { try primitive(type, key) }
}
