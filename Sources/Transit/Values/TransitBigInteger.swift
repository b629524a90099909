/// An integer of any size, kept as its decimal digits.
///
/// It is for carrying numbers, not for calculating with them: convert with `Int64(exactly:)`-like ``int64`` or
/// ``exactly(_:)`` where the number fits.
public struct TransitBigInteger: Hashable, Comparable, Sendable, Codable, CustomStringConvertible,
  ExpressibleByIntegerLiteral
{
  /// Canonical decimal digits: an optional `-`, no leading zeros, no `-0`.
  public let text: String

  /// Any integer of the standard library.
  public init(_ value: some BinaryInteger) {
    text = String(value)
  }

  /// The number of a literal, which has to fit 64 bits.
  public init(integerLiteral value: Int64) {
    text = String(value)
  }

  /// Reads decimal digits with an optional sign; leading zeros are dropped. O(n).
  ///
  /// - Returns: nil unless the text is one or more ASCII digits, after at most one `+` or `-`.
  public init?(_ digits: some StringProtocol) {
    var copy = String(digits)
    guard let canonical = copy.withUTF8({ Self.canonical($0) }) else { return nil }
    text = canonical
  }

  init?(bytes: UnsafeBufferPointer<UInt8>) {
    guard let canonical = Self.canonical(bytes) else { return nil }
    text = canonical
  }

  init(canonical: String) {
    text = canonical
  }

  private static func canonical(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
    var start = 0
    var negative = false
    if let first = bytes.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
      negative = first == UInt8(ascii: "-")
      start = 1
    }
    guard start < bytes.count else { return nil }
    for byte in bytes[start...] where byte &- 48 > 9 { return nil }
    while start < bytes.count - 1, bytes[start] == UInt8(ascii: "0") { start += 1 }
    let digits = String(decoding: bytes[start...], as: UTF8.self)
    return negative && digits != "0" ? "-" + digits : digits
  }

  /// Whether the number is below zero.
  public var isNegative: Bool { text.utf8.first == UInt8(ascii: "-") }

  /// The number, if it fits 64 bits.
  public var int64: Int64? {
    text.utf8.count > 20 ? nil : Int64(text)
  }

  /// The number as another integer type; nil where it does not fit. For a type of fixed width.
  public func exactly<T: FixedWidthInteger>(_ type: T.Type = T.self) -> T? {
    text.utf8.count > T.bitWidth / 3 + 2 ? nil : T(text)
  }

  /// Whether `left` is the smaller number. O(n).
  public static func < (left: Self, right: Self) -> Bool {
    if left.isNegative != right.isNegative { return left.isNegative }
    let a = left.text.utf8
    let b = right.text.utf8
    let smallerMagnitude = a.count != b.count ? a.count < b.count : a.lexicographicallyPrecedes(b)
    return left.isNegative ? left != right && !smallerMagnitude : smallerMagnitude
  }

  /// The decimal digits.
  public var description: String { text }

  /// Reads decimal digits as a string, from any decoder. `TransitDecoder` also takes any integer.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let digits = try container.decode(String.self)
    guard let value = Self(digits) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an integer")
    }
    self = value
  }

  /// Writes decimal digits as a string, to any encoder. `TransitEncoder` writes a big integer.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}
