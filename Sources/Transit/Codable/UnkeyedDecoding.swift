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

  /// Reads a primitive element; its index joins the path only if that fails.
  @inline(__always)
  private mutating func read<R>(_ body: (ValueDecoder, TransitValue) throws -> R) throws -> R {
    let value = try next(R.self)
    let result: R
    do {
      result = try body(decoder, value)
    } catch is DecodingError {
      result = try body(inner(value), value)
    }
    currentIndex += 1
    return result
  }

  private func inner(_ value: TransitValue) -> ValueDecoder { decoder.inner(value, .index(currentIndex)) }

  mutating func decodeNil() throws -> Bool {
    guard try next(Any?.self).isNull else { return false }
    currentIndex += 1
    return true
  }

  /// The next element, still to be counted as read.
  @inline(__always)
  private func next(_ type: any Any.Type) throws -> TransitValue {
    if currentIndex < items.count { return items[currentIndex] }
    throw DecodingError.valueNotFound(
      type,
      DecodingError.Context(
        codingPath: codingPath + [PlainKey(intValue: currentIndex)], debugDescription: "no more elements"))
  }

  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
    let result = try decoder.decode(type, try next(type), .index(currentIndex))
    currentIndex += 1
    return result
  }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type
  ) throws -> KeyedDecodingContainer<Nested> {
    let container = try inner(try next(type)).container(keyedBy: type)
    currentIndex += 1
    return container
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    let container = try inner(try next([Any].self)).unkeyedContainer()
    currentIndex += 1
    return container
  }

  mutating func superDecoder() throws -> any Decoder {
    let decoder = inner(try next((any Decoder).self))
    currentIndex += 1
    return decoder
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
  mutating func decode(_ type: Int128.Type) throws -> Int128 { try read { try $0.integer($1) } }
  mutating func decode(_ type: UInt128.Type) throws -> UInt128 { try read { try $0.integer($1) } }
}
