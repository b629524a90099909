/// Collections of the standard library that Transit has a type for: sets, and dictionaries with any key.
protocol TransitCollection {
  static func decode(_ value: TransitValue, _ decoder: ValueDecoder) throws -> Self
  func encode(_ encoder: ValueEncoder) throws -> TransitValue
}

extension Set: TransitCollection where Element: Codable {
  static func decode(_ value: TransitValue, _ decoder: ValueDecoder) throws -> Set<Element> {
    let items: [TransitValue]
    switch value {
    case .set(let set): items = set.elements
    case .array(let array), .list(let array): items = array
    default: throw decoder.mismatch(Self.self, value)
    }
    var result = Set<Element>(minimumCapacity: items.count)
    for (index, item) in items.enumerated() {
      result.insert(try decoder.decode(Element.self, item, .index(index)))
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
  static func decode(_ value: TransitValue, _ decoder: ValueDecoder) throws -> [Key: Value] {
    guard case .map(let map) = value else { throw decoder.mismatch(Self.self, value) }
    var result = [Key: Value](minimumCapacity: map.count)
    for (key, value) in map {
      let name = try decoder.decode(Key.self, key, .entry(key))
      result[name] = try decoder.decode(Value.self, value, .entry(key))
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
