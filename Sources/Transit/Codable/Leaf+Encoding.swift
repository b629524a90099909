#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

extension Leaf {
  /// The value of a direct type.
  @inline(__always)
  static func encode<T>(_ leaf: Leaf, _ value: T) -> TransitValue {
    switch leaf {
    case .value: identity(value, as: TransitValue.self)
    case .string: .string(identity(value, as: String.self))
    case .keyword: .keyword(identity(value, as: Keyword.self))
    case .date: .instant(Instant(identity(value, as: Date.self)))
    case .uuid: .uuid(identity(value, as: UUID.self))
    default: encodeRarely(leaf, value)
    }
  }

  private static func encodeRarely<T>(_ leaf: Leaf, _ value: T) -> TransitValue {
    switch leaf {
    case .url: .uri(identity(value, as: URL.self).absoluteString)
    case .data: .bytes([UInt8](identity(value, as: Data.self)))
    case .decimal: .bigDecimal(TransitBigDecimal(identity(value, as: Decimal.self)))
    case .symbol: .symbol(identity(value, as: Symbol.self))
    case .instant: .instant(identity(value, as: Instant.self))
    case .bigInteger: .bigInt(identity(value, as: TransitBigInteger.self))
    case .bigDecimal: .bigDecimal(identity(value, as: TransitBigDecimal.self))
    case .map: .map(identity(value, as: TransitMap.self))
    case .set: .set(identity(value, as: TransitSet.self))
    default: .null
    }
  }
}
