#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

extension Leaf {
  /// Whether a type is a Transit value of its own and takes no container.
  @inline(__always)
  var isDirect: Bool { rawValue >= Leaf.value.rawValue && rawValue <= Leaf.set.rawValue }

  /// Makes a direct type from its value. The common cases need no decoder of their own.
  ///
  /// It returns no optional: the optional of an unknown type would have to be looked up at run time.
  @inline(__always)
  static func decode<T>(
    _ leaf: Leaf, _ type: T.Type, _ value: UnsafePointer<TransitValue>, _ decoder: () -> ValueDecoder
  ) throws -> T {
    switch (leaf, value.pointee) {
    case (.value, _): return identity(value.pointee, as: type)
    case (.string, .string(let text)): return identity(text, as: type)
    case (.keyword, .keyword(let keyword)): return identity(keyword, as: type)
    case (.date, .instant(let instant)): return identity(instant.date, as: type)
    case (.uuid, .uuid(let uuid)): return identity(uuid, as: type)
    default: return try decodeRarely(leaf, type, decoder())
    }
  }

  private static func decodeRarely<T>(_ leaf: Leaf, _ type: T.Type, _ decoder: ValueDecoder) throws -> T {
    switch (leaf, decoder.value) {
    case (.instant, .instant(let instant)): return identity(instant, as: type)
    case (.url, .uri(let text)), (.url, .string(let text)):
      guard let url = URL(string: text) else { throw decoder.corrupted("'\(text)' is not a URL") }
      return identity(url, as: type)
    case (.data, .bytes(let bytes)): return identity(Data(bytes), as: type)
    case (.decimal, .bigDecimal(let number)): return try decimal(number.decimal, number, type, decoder)
    case (.decimal, .int(let number)): return identity(Decimal(number), as: type)
    case (.decimal, .double(let number)):
      return try decimal(TransitBigDecimal(number.description)?.decimal, number, type, decoder)
    case (.decimal, .bigInt(let number)):
      return try decimal(TransitBigDecimal(number.text)?.decimal, number, type, decoder)
    case (.symbol, .symbol(let symbol)): return identity(symbol, as: type)
    case (.bigInteger, .bigInt(let number)): return identity(number, as: type)
    case (.bigInteger, .int(let number)): return identity(TransitBigInteger(number), as: type)
    case (.bigDecimal, .bigDecimal(let number)): return identity(number, as: type)
    case (.map, .map(let map)): return identity(map, as: type)
    case (.set, .set(let set)): return identity(set, as: type)
    default: throw decoder.mismatch(type)
    }
  }

  private static func decimal<T>(
    _ decimal: Decimal?, _ number: some CustomStringConvertible, _ type: T.Type, _ decoder: ValueDecoder
  ) throws -> T {
    guard let decimal else { throw decoder.corrupted("a Decimal does not hold \(number)") }
    return identity(decimal, as: type)
  }
}
