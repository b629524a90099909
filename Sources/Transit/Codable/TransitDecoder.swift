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

  /// What to do with tags, before types see the values.
  public var handlers = TransitHandlers()

  /// A decoder with the default settings.
  public init() {}

  /// Makes a Swift value from a Transit value.
  public func decode<T: Decodable>(_ type: T.Type = T.self, from value: TransitValue) throws -> T {
    let root = ValueDecoder(try handlers.apply(to: value), DecodingContext(self), at: nil, in: nil)
    return try withUnsafePointer(to: root.value) { try root.decode(T.self, $0, nil) }
  }

  /// Makes a Swift value from bytes that hold exactly one Transit value.
  public func decode<T: Decodable>(
    _ type: T.Type = T.self, from bytes: [UInt8], format: TransitFormat
  ) throws -> T {
    try decode(type, from: try TransitValue(transit: bytes, format: format, limits: limits))
  }
}
