/// Shows an array, list or set to a type that takes its elements in order.
struct UnkeyedDecoding: UnkeyedDecodingContainer {
  let items: [TransitValue]
  let decoder: ValueDecoder
  private(set) var currentIndex = 0

  init(items: [TransitValue], decoder: ValueDecoder) {
    self.items = items
    self.decoder = decoder
  }

  var codingPath: [any CodingKey] { decoder.codingPath }
  var count: Int? { items.count }
  var isAtEnd: Bool { currentIndex >= items.count }

  @inline(__always)
  private mutating func primitive<T: Primitive>(_ type: T.Type) throws -> T {
    try element(type) { try $0.primitive(type, $1, .index($2)) }
  }

  /// Hands out the next element, which counts as read if nothing is thrown.
  @inline(__always)
  private mutating func element<R>(
    _ type: any Any.Type, _ body: (ValueDecoder, UnsafePointer<TransitValue>, Int) throws -> R
  ) throws -> R {
    guard currentIndex < items.count else {
      throw DecodingError.valueNotFound(
        type,
        DecodingError.Context(
          codingPath: codingPath + [PlainKey(intValue: currentIndex)], debugDescription: "no more elements"))
    }
    let result = try items.withUnsafeBufferPointer { items in
      guard let start = items.baseAddress else { throw decoder.mismatch(type) }
      return try body(decoder, start + currentIndex, currentIndex)
    }
    currentIndex += 1
    return result
  }

  /// Hands out the decoder of the next element.
  private mutating func part<R>(_ type: any Any.Type, _ body: (ValueDecoder) throws -> R) throws -> R {
    try element(type) { try body($0.inner($1.pointee, .index($2))) }
  }

  mutating func decodeNil() throws -> Bool {
    guard currentIndex < items.count else {
      return try element(Any?.self) { _, value, _ in value.pointee.isNull }
    }
    guard items[currentIndex].isNull else { return false }
    currentIndex += 1
    return true
  }

  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
    try element(type) { try $0.decode(type, $1, .index($2)) }
  }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type
  ) throws -> KeyedDecodingContainer<Nested> {
    try part(type) { try $0.container(keyedBy: type) }
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try part([Any].self) { try $0.unkeyedContainer() }
  }

  mutating func superDecoder() throws -> any Decoder { try part((any Decoder).self) { $0 } }
}

extension UnkeyedDecoding {
  mutating func decode(_ type: Bool.Type) throws -> Bool { try primitive(type) }
  mutating func decode(_ type: String.Type) throws -> String { try primitive(type) }
  mutating func decode(_ type: Double.Type) throws -> Double { try primitive(type) }
  mutating func decode(_ type: Float.Type) throws -> Float { try primitive(type) }
  mutating func decode(_ type: Int.Type) throws -> Int { try primitive(type) }
  mutating func decode(_ type: Int8.Type) throws -> Int8 { try primitive(type) }
  mutating func decode(_ type: Int16.Type) throws -> Int16 { try primitive(type) }
  mutating func decode(_ type: Int32.Type) throws -> Int32 { try primitive(type) }
  mutating func decode(_ type: Int64.Type) throws -> Int64 { try primitive(type) }
  mutating func decode(_ type: UInt.Type) throws -> UInt { try primitive(type) }
  mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try primitive(type) }
  mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try primitive(type) }
  mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try primitive(type) }
  mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try primitive(type) }
  mutating func decode(_ type: Int128.Type) throws -> Int128 { try primitive(type) }
  mutating func decode(_ type: UInt128.Type) throws -> UInt128 { try primitive(type) }
}
