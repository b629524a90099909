/// Collections of the standard library that Transit has a type for: sets, and dictionaries with any key.
protocol TransitCollection {
  /// Makes the collection; `type` is the collection itself, under the name by which the caller knows it.
  static func decode<T>(_ decoder: ValueDecoder, as type: T.Type) throws -> T
  func encode(_ encoder: ValueEncoder) throws -> TransitValue
}

extension Set: TransitCollection where Element: Codable {
  static func decode<T>(_ decoder: ValueDecoder, as type: T.Type) throws -> T {
    switch decoder.value {
    case .set(let set):
      return try set.flat.withUnsafeBufferPointer { try decode($0, decoder, as: type) }
    case .array(let items), .list(let items):
      return try items.withUnsafeBufferPointer { try decode($0, decoder, as: type) }
    default: throw decoder.mismatch(Self.self)
    }
  }

  private static func decode<T>(
    _ items: UnsafeBufferPointer<TransitValue>, _ decoder: ValueDecoder, as type: T.Type
  ) throws -> T {
    // Two common types of elements, which the compiler then knows; any other goes the general way.
    if Element.self == Keyword.self { return identity(try elements(Keyword.self, items, decoder), as: type) }
    if Element.self == String.self { return identity(try elements(String.self, items, decoder), as: type) }
    return identity(try elements(Element.self, items, decoder), as: type)
  }

  @inline(__always)
  private static func elements<E: Decodable & Hashable>(
    _ element: E.Type, _ items: UnsafeBufferPointer<TransitValue>, _ decoder: ValueDecoder
  ) throws -> Set<E> {
    var result = Set<E>(minimumCapacity: items.count)
    var index = 0
    while let start = items.baseAddress, index < items.count {
      result.insert(try decoder.decode(E.self, start + index, .index(index)))
      index += 1
    }
    return result
  }

  func encode(_ encoder: ValueEncoder) throws -> TransitValue {
    var items = FlatValues()
    items.reserveCapacity(count)
    for element in self { items.append(try encoder.encode(element, .index(items.count))) }
    return .set(TransitSet(flat: items))
  }
}

extension Dictionary: TransitCollection where Key: Codable, Value: Codable {
  static func decode<T>(_ decoder: ValueDecoder, as type: T.Type) throws -> T {
    guard case .map(let map) = decoder.value else { throw decoder.mismatch(Self.self) }
    return try map.flat.withUnsafeBufferPointer { items in
      // The usual type of keys, which the compiler then knows; any other goes the general way.
      if Key.self == String.self { return identity(try entries(String.self, items, decoder), as: type) }
      return identity(try entries(Key.self, items, decoder), as: type)
    }
  }

  @inline(__always)
  private static func entries<K: Decodable & Hashable>(
    _ key: K.Type, _ items: UnsafeBufferPointer<TransitValue>, _ decoder: ValueDecoder
  ) throws -> [K: Value] {
    var result = [K: Value](minimumCapacity: items.count / 2)
    var index = 0
    while let start = items.baseAddress, index < items.count {
      let name = try decoder.decode(K.self, start + index, .entry(items[index]))
      result[name] = try decoder.decode(Value.self, start + (index + 1), .entry(items[index]))
      index += 2
    }
    return result
  }

  func encode(_ encoder: ValueEncoder) throws -> TransitValue {
    var flat = FlatValues()
    flat.reserveCapacity(2 * count)
    for (key, value) in self {
      let name = try encoder.encode(key, nil)
      flat.append(name)
      flat.append(try encoder.encode(value, .entry(name)))
    }
    return .map(TransitMap(flat: flat, distinct: false))
  }
}
