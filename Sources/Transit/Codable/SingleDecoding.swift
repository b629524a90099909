/// Shows one value to a type that is a single value.
struct SingleDecoding: SingleValueDecodingContainer {
  let decoder: ValueDecoder

  var codingPath: [any CodingKey] { decoder.codingPath }

  func decodeNil() -> Bool { decoder.value.isNull }

  func decode<T: Decodable>(_ type: T.Type) throws -> T {
    try withUnsafePointer(to: decoder.value) { try decoder.decode(type, $0, nil) }
  }

  private func primitive<T: Primitive>(_ type: T.Type) throws -> T {
    try withUnsafePointer(to: decoder.value) { try decoder.primitive(type, $0, nil) }
  }

  /// A name, as a string, keyword or symbol: what asks here is a type with a string inside, as enums are.
  func decode(_ type: String.Type) throws -> String {
    switch decoder.value {
    case .string(let result): result
    case .keyword(let keyword): keyword.text
    case .symbol(let symbol): symbol.text
    default: throw decoder.mismatch(String.self)
    }
  }
  func decode(_ type: Bool.Type) throws -> Bool { try primitive(type) }
  func decode(_ type: Double.Type) throws -> Double { try primitive(type) }
  func decode(_ type: Float.Type) throws -> Float { try primitive(type) }
  func decode(_ type: Int.Type) throws -> Int { try primitive(type) }
  func decode(_ type: Int8.Type) throws -> Int8 { try primitive(type) }
  func decode(_ type: Int16.Type) throws -> Int16 { try primitive(type) }
  func decode(_ type: Int32.Type) throws -> Int32 { try primitive(type) }
  func decode(_ type: Int64.Type) throws -> Int64 { try primitive(type) }
  func decode(_ type: UInt.Type) throws -> UInt { try primitive(type) }
  func decode(_ type: UInt8.Type) throws -> UInt8 { try primitive(type) }
  func decode(_ type: UInt16.Type) throws -> UInt16 { try primitive(type) }
  func decode(_ type: UInt32.Type) throws -> UInt32 { try primitive(type) }
  func decode(_ type: UInt64.Type) throws -> UInt64 { try primitive(type) }
  func decode(_ type: Int128.Type) throws -> Int128 { try primitive(type) }
  func decode(_ type: UInt128.Type) throws -> UInt128 { try primitive(type) }
}
