#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

extension Leaf {
  /// The value of a direct type.
  @inline(__always)
  static func encode<T>(_ leaf: Leaf, _ value: T) -> TransitValue? {
    switch leaf {
    case .value: identity(value, as: TransitValue.self)
    case .string: identity(value, as: String.self).map { .string($0) }
    case .keyword: identity(value, as: Keyword.self).map { .keyword($0) }
    case .date: identity(value, as: Date.self).map { .instant(Instant($0)) }
    case .uuid: identity(value, as: UUID.self).map { .uuid($0) }
    default: encodeRarely(leaf, value)
    }
  }

  private static func encodeRarely<T>(_ leaf: Leaf, _ value: T) -> TransitValue? {
    switch leaf {
    case .url: identity(value, as: URL.self).map { .uri($0.absoluteString) }
    case .data: identity(value, as: Data.self).map { .bytes([UInt8]($0)) }
    case .decimal: identity(value, as: Decimal.self).map { .bigDecimal(TransitBigDecimal($0)) }
    case .symbol: identity(value, as: Symbol.self).map { .symbol($0) }
    case .instant: identity(value, as: Instant.self).map { .instant($0) }
    case .bigInteger: identity(value, as: TransitBigInteger.self).map { .bigInt($0) }
    case .bigDecimal: identity(value, as: TransitBigDecimal.self).map { .bigDecimal($0) }
    case .map: identity(value, as: TransitMap.self).map { .map($0) }
    case .set: identity(value, as: TransitSet.self).map { .set($0) }
    default: nil
    }
  }
}
