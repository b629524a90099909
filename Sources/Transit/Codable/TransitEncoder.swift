/// Makes Transit from Swift values of `Encodable` types: the mirror image of ``TransitDecoder``.
///
/// `Date` becomes an instant (whole milliseconds), `UUID`, `URL` (URI), `Data` (bytes), `Decimal` (big decimal) and
/// `Set` their Transit types, a dictionary a map with keys of its own type, a nil in an array `null`. A
/// ``TransitValue`` anywhere is taken over as it is, in O(1).
public struct TransitEncoder: Sendable {
  /// How the names of properties are written.
  public var keyStrategy: TransitKeyStrategy = .keywords
  /// How enums with a string for raw value are written.
  public var enumStrategy: TransitEnumStrategy = .keywords
  /// Passed to the types being encoded, as `encoder.userInfo`.
  public var userInfo: [CodingUserInfoKey: any Sendable] = [:]

  /// An encoder with the default settings.
  public init() {}

  /// Makes a Transit value from a Swift value.
  public func encode<T: Encodable>(_ value: T) throws -> TransitValue {
    try ValueEncoder(EncodingContext(self), nil).encode(value, nil)
  }

  /// Makes the bytes of one top-level Transit value from a Swift value.
  public func encode<T: Encodable>(_ value: T, format: TransitFormat) throws -> [UInt8] {
    try encode(value).transit(format)
  }
}
