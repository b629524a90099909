#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Swift types that are Transit values of their own, as opposed to types that describe themselves by containers.
enum Leaf: UInt8 {
  case none, value, string, date, uuid, url, data, decimal, keyword, symbol, instant, bigInteger, bigDecimal,
    map, set
  /// A type with a string or integer for raw value.
  case raw
  case collection, custom

  /// What a type is. The answer for a type never changes.
  static func of(_ type: any Any.Type) -> Leaf {
    if type == TransitValue.self { return .value }
    if type == String.self { return .string }
    if type == Date.self { return .date }
    if type == UUID.self { return .uuid }
    if type == URL.self { return .url }
    if type == Data.self { return .data }
    if type == Decimal.self { return .decimal }
    if type == Keyword.self { return .keyword }
    if type == Symbol.self { return .symbol }
    if type == Instant.self { return .instant }
    if type == TransitBigInteger.self { return .bigInteger }
    if type == TransitBigDecimal.self { return .bigDecimal }
    if type == TransitMap.self { return .map }
    if type == TransitSet.self { return .set }
    if type is any TransitCollection.Type { return .collection }
    if type is any RawRepresentable.Type { return .raw }
    return .none
  }
}

/// What each type is, learned once per encoder or decoder.
struct LeafTable {
  private var types: [(type: ObjectIdentifier, leaf: Leaf)] = []

  @inline(__always)
  mutating func leaf(_ type: any Any.Type) -> Leaf {
    let id = ObjectIdentifier(type)
    for entry in types where entry.type == id { return entry.leaf }
    let leaf = Leaf.of(type)
    // Programs code few types; should one code many, the oldest are learned again.
    if types.count >= 64 { types.removeAll(keepingCapacity: true) }
    types.append((id, leaf))
    return leaf
  }
}
