/// Shows a map to a type with coding keys.
struct KeyedDecoding<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let map: TransitMap
  let context: DecodingContext
  let step: CodingStep?

  var codingPath: [any CodingKey] { CodingStep.path(step) }

  /// The decoder of the map itself, for its errors and parts.
  private var decoder: ValueDecoder { ValueDecoder(.null, context, step) }

  var allKeys: [Key] {
    map.compactMap { entry in
      switch entry.key {
      case .keyword(let keyword): Key(stringValue: keyword.text)
      case .string(let text): Key(stringValue: text)
      case .int(let number):
        Int(exactly: number).flatMap { Key(intValue: $0) } ?? Key(stringValue: String(number))
      default: nil
      }
    }
  }

  @inline(__always)
  private func find(_ key: Key) -> TransitValue? {
    let keywords = context.keyStrategy == .keywords
    if let value = map.value(named: key.stringValue, keyword: keywords, hint: context.hint) { return value }
    return findRarely(key, keyword: !keywords)
  }

  private func findRarely(_ key: Key, keyword: Bool) -> TransitValue? {
    if let value = map.value(named: key.stringValue, keyword: keyword, hint: context.hint) { return value }
    return key.intValue.flatMap { map[.int(Int64($0))] }
  }

  @inline(__always)
  private func value(_ key: Key) throws -> TransitValue {
    if let value = find(key) { return value }
    throw DecodingError.keyNotFound(
      key, DecodingError.Context(codingPath: codingPath, debugDescription: "no key '\(key.stringValue)'"))
  }

  /// Reads a primitive part; its key joins the path only if that fails.
  @inline(__always)
  private func read<R>(_ key: Key, _ body: (ValueDecoder, TransitValue) throws -> R) throws -> R {
    let value = try value(key)
    do {
      return try body(decoder, value)
    } catch is DecodingError {
      return try body(decoder.inner(value, .key(key)), value)
    }
  }

  func contains(_ key: Key) -> Bool { find(key) != nil }

  func decodeNil(forKey key: Key) throws -> Bool { try value(key).isNull }

  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
    try decoder.decode(type, try value(key), .key(key))
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    try decoder.inner(try value(key), .key(key)).container(keyedBy: type)
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try decoder.inner(try value(key), .key(key)).unkeyedContainer()
  }

  func superDecoder() throws -> any Decoder {
    decoder.inner(map[.keyword(Keyword("super"))] ?? map["super"] ?? .null, .key(PlainKey.superKey))
  }

  func superDecoder(forKey key: Key) throws -> any Decoder {
    decoder.inner(find(key) ?? .null, .key(key))
  }
}

extension KeyedDecoding {
  func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try read(key) { try $0.bool($1) } }
  func decode(_ type: String.Type, forKey key: Key) throws -> String { try read(key) { try $0.string($1) } }
  func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try read(key) { try $0.double($1) } }
  func decode(_ type: Float.Type, forKey key: Key) throws -> Float {
    try read(key) { Float(try $0.double($1)) }
  }
  func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try read(key) { try $0.integer($1) } }
  func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try read(key) { try $0.integer($1) } }
  func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try read(key) { try $0.integer($1) } }
  func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try read(key) { try $0.integer($1) } }
  func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try read(key) { try $0.integer($1) } }
  func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try read(key) { try $0.integer($1) } }
  func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try read(key) { try $0.integer($1) } }
  func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try read(key) { try $0.integer($1) } }
  func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try read(key) { try $0.integer($1) } }
  func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try read(key) { try $0.integer($1) } }
  func decode(_ type: Int128.Type, forKey key: Key) throws -> Int128 { try read(key) { try $0.integer($1) } }
  func decode(_ type: UInt128.Type, forKey key: Key) throws -> UInt128 {
    try read(key) { try $0.integer($1) }
  }
}
