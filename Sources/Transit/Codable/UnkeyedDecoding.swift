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
  private mutating func read<R>(_ body: (ValueDecoder, TransitValue) throws -> R) throws -> R {
    guard currentIndex < items.count else {
      throw DecodingError.valueNotFound(
        R.self,
        DecodingError.Context(
          codingPath: codingPath + [PlainKey(intValue: currentIndex)], debugDescription: "no more elements"))
    }
    let value = items[currentIndex]
    let result: R
    do {
      result = try body(decoder, value)
    } catch is DecodingError {
      result = try body(decoder.inner(value, .index(currentIndex)), value)
    }
    currentIndex += 1
    return result
  }

  mutating func decodeNil() throws -> Bool {
    guard currentIndex < items.count else { return try read { _, _ in true } }
    guard items[currentIndex].isNull else { return false }
    currentIndex += 1
    return true
  }

  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
    let index = currentIndex
    return try read { try $0.decode(type, $1, .index(index)) }
  }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type
  ) throws -> KeyedDecodingContainer<Nested> {
    let index = currentIndex
    return try read { try $0.inner($1, .index(index)).container(keyedBy: type) }
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    let index = currentIndex
    return try read { try $0.inner($1, .index(index)).unkeyedContainer() }
  }

  mutating func superDecoder() throws -> any Decoder {
    let index = currentIndex
    return try read { $0.inner($1, .index(index)) }
  }
}

extension UnkeyedDecoding {
  mutating func decode(_ type: Bool.Type) throws -> Bool { try read { try $0.bool($1) } }
  mutating func decode(_ type: String.Type) throws -> String { try read { try $0.string($1) } }
  mutating func decode(_ type: Double.Type) throws -> Double { try read { try $0.double($1) } }
  mutating func decode(_ type: Float.Type) throws -> Float { try read { Float(try $0.double($1)) } }
  mutating func decode(_ type: Int.Type) throws -> Int { try read { try $0.integer($1) } }
  mutating func decode(_ type: Int8.Type) throws -> Int8 { try read { try $0.integer($1) } }
  mutating func decode(_ type: Int16.Type) throws -> Int16 { try read { try $0.integer($1) } }
  mutating func decode(_ type: Int32.Type) throws -> Int32 { try read { try $0.integer($1) } }
  mutating func decode(_ type: Int64.Type) throws -> Int64 { try read { try $0.integer($1) } }
  mutating func decode(_ type: UInt.Type) throws -> UInt { try read { try $0.integer($1) } }
  mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try read { try $0.integer($1) } }
  mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try read { try $0.integer($1) } }
  mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try read { try $0.integer($1) } }
  mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try read { try $0.integer($1) } }
}
