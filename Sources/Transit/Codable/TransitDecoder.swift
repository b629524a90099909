#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Makes Swift values of `Decodable` types from Transit.
///
/// Properties are found by keyword or string (see ``keyStrategy``). `Date` comes from an instant, `UUID`, `URL` (URI),
/// `Data` (bytes), `Decimal` (big decimal) and `Set` from their Transit types, a dictionary from a map with any keys,
/// a raw-valued enum from a keyword or string, `Double` also from an integer. A ``TransitValue`` anywhere takes
/// whatever stands there, in O(1).
///
/// Errors are `DecodingError`, with the coding path, and ``TransitError`` for bytes that are not Transit.
public struct TransitDecoder: Sendable {
  /// Which form of a key is looked for first.
  public var keyStrategy: TransitKeyStrategy = .keywords
  /// How deep encoded values may nest.
  public var limits: TransitLimits = .standard
  /// Passed to the types being decoded, as `decoder.userInfo`.
  public var userInfo: [CodingUserInfoKey: any Sendable] = [:]

  public init() {}

  /// Makes a Swift value from a Transit value.
  public func decode<T: Decodable>(_ type: T.Type = T.self, from value: TransitValue) throws -> T {
    let decoder = ValueDecoder(value, DecodingContext(self), [])
    return try decoder.unwrap(T.self, value)
  }

  /// Makes a Swift value from bytes that hold exactly one Transit value.
  public func decode<T: Decodable>(
    _ type: T.Type = T.self, from bytes: [UInt8], format: TransitFormat
  ) throws -> T {
    try decode(type, from: try TransitValue(transit: bytes, format: format, limits: limits))
  }
}

/// What all parts of one decoding share.
final class DecodingContext {
  let keyStrategy: TransitKeyStrategy
  let userInfo: [CodingUserInfoKey: any Sendable]
  var leaves = LeafTable()

  init(_ options: TransitDecoder) {
    keyStrategy = options.keyStrategy
    userInfo = options.userInfo
  }
}

/// Shows one Transit value to the type that is decoded from it.
struct ValueDecoder: Decoder {
  let value: TransitValue
  let context: DecodingContext
  let codingPath: [any CodingKey]

  init(_ value: TransitValue, _ context: DecodingContext, _ codingPath: [any CodingKey]) {
    self.value = value
    self.context = context
    self.codingPath = codingPath
  }

  var userInfo: [CodingUserInfoKey: Any] { context.userInfo }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard case .map(let map) = value else { throw mismatch([String: Any].self, value) }
    return KeyedDecodingContainer(KeyedDecoding<Key>(map: map, decoder: self))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    switch value {
    case .array(let items), .list(let items): return UnkeyedDecoding(items: items, decoder: self)
    case .set(let set): return UnkeyedDecoding(items: set.elements, decoder: self)
    default: throw mismatch([Any].self, value)
    }
  }

  func singleValueContainer() throws -> any SingleValueDecodingContainer { SingleDecoding(decoder: self) }

  /// The decoder of a part.
  func inner(_ value: TransitValue, _ key: (any CodingKey)?) -> ValueDecoder {
    ValueDecoder(value, context, key.map { codingPath + [$0] } ?? codingPath)
  }

  func mismatch(_ type: any Any.Type, _ value: TransitValue) -> DecodingError {
    let context = DecodingError.Context(codingPath: codingPath, debugDescription: "found \(value.typeName)")
    return value.isNull ? .valueNotFound(type, context) : .typeMismatch(type, context)
  }

  func corrupted(_ message: String) -> DecodingError {
    .dataCorrupted(DecodingError.Context(codingPath: codingPath, debugDescription: message))
  }

  /// Makes a part from its value.
  @inline(__always)
  func decode<T: Decodable>(_ type: T.Type, _ value: TransitValue, _ key: (any CodingKey)?) throws -> T {
    try inner(value, key).unwrap(type, value)
  }

  /// Makes a value of any type from the value of this decoder.
  func unwrap<T: Decodable>(_ type: T.Type, _ value: TransitValue) throws -> T {
    switch context.leaves.leaf(type) {
    case .none, .custom, .raw: break
    case .collection:
      if let collection = type as? any TransitCollection.Type {
        return try cast(try collection.decode(value, self))
      }
    case let leaf: return try unwrap(leaf, type, value)
    }
    return try T(from: self)
  }

  /// Tells the compiler what `Leaf.of` found out.
  @inline(__always)
  private func cast<T>(_ value: Any) throws -> T {
    guard let result = value as? T else { throw corrupted("a \(T.self) was expected") }
    return result
  }

  private func unwrap<T>(_ leaf: Leaf, _ type: T.Type, _ value: TransitValue) throws -> T {
    switch (leaf, value) {
    case (.value, _): return try cast(value)
    case (.string, .string(let text)): return try cast(text)
    case (.date, .instant(let instant)): return try cast(instant.date)
    case (.instant, .instant(let instant)): return try cast(instant)
    case (.uuid, .uuid(let uuid)): return try cast(uuid)
    case (.url, .uri(let text)), (.url, .string(let text)):
      guard let url = URL(string: text) else { throw corrupted("'\(text)' is not a URL") }
      return try cast(url)
    case (.data, .bytes(let bytes)): return try cast(Data(bytes))
    case (.decimal, .bigDecimal(let number)):
      guard let decimal = number.decimal else { throw corrupted("a Decimal does not hold \(number)") }
      return try cast(decimal)
    case (.decimal, .int(let number)): return try cast(Decimal(number))
    case (.decimal, .bigInt(let number)):
      guard let decimal = TransitBigDecimal(number.text)?.decimal else {
        throw corrupted("a Decimal does not hold \(number)")
      }
      return try cast(decimal)
    case (.decimal, .double(let number)): return try cast(Decimal(number))
    case (.keyword, .keyword(let keyword)): return try cast(keyword)
    case (.symbol, .symbol(let symbol)): return try cast(symbol)
    case (.bigInteger, .bigInt(let number)): return try cast(number)
    case (.bigInteger, .int(let number)): return try cast(TransitBigInteger(number))
    case (.bigDecimal, .bigDecimal(let number)): return try cast(number)
    case (.map, .map(let map)): return try cast(map)
    case (.set, .set(let set)): return try cast(set)
    default: throw mismatch(type, value)
    }
  }

  // MARK: Primitive types

  @inline(__always)
  func bool(_ value: TransitValue) throws -> Bool {
    guard case .bool(let result) = value else { throw mismatch(Bool.self, value) }
    return result
  }

  @inline(__always)
  func string(_ value: TransitValue) throws -> String {
    guard case .string(let result) = value else { throw mismatch(String.self, value) }
    return result
  }

  /// The name that stands for a raw-valued type, in any of its forms.
  @inline(__always)
  func name(_ value: TransitValue) throws -> String {
    switch value {
    case .string(let result): result
    case .keyword(let keyword): keyword.text
    case .symbol(let symbol): symbol.text
    default: throw mismatch(String.self, value)
    }
  }

  @inline(__always)
  func integer<T: FixedWidthInteger>(_ value: TransitValue, _ type: T.Type = T.self) throws -> T {
    switch value {
    case .int(let number):
      guard let result = T(exactly: number) else { throw corrupted("\(T.self) does not hold \(number)") }
      return result
    case .bigInt(let number):
      guard let result = number.exactly(T.self) else { throw corrupted("\(T.self) does not hold \(number)") }
      return result
    default: throw mismatch(type, value)
    }
  }

  @inline(__always)
  func double(_ value: TransitValue) throws -> Double {
    switch value {
    case .double(let number): return number
    case .int(let number):
      guard let result = Double(exactly: number) else { throw corrupted("Double does not hold \(number)") }
      return result
    default: throw mismatch(Double.self, value)
    }
  }
}
