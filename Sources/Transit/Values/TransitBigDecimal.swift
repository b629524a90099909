#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// A decimal number of any precision, kept as its text, so that `1.50` keeps its scale.
///
/// Equality is numeric, as in Clojure: `1.5M` equals `1.50M`, though both keep their text when they are written.
public struct TransitBigDecimal: Hashable, Sendable, Codable, CustomStringConvertible {
  /// The number as it was given: an optional sign, digits, an optional fraction, an optional exponent.
  public let text: String

  /// Reads a decimal number: `-12`, `1.50`, `.5`, `6.02E+23`. O(n).
  ///
  /// - Returns: nil unless the text is a number with at least one digit and an exponent within 32 bits.
  public init?(_ text: some StringProtocol) {
    var copy = String(text)
    guard copy.withUTF8({ Self.parts($0) }) != nil else { return nil }
    self.text = copy
  }

  /// The same number as Foundation's decimal has.
  public init(_ value: Decimal) {
    text = value.description
  }

  /// The number as Foundation's decimal, if that holds it (38 digits); nil otherwise.
  public var decimal: Decimal? {
    let key = normalized
    guard key.digits.utf8.count <= 38, key.exponent >= -127, key.exponent <= 127 else { return nil }
    return Decimal(string: text)
  }

  /// The nearest double; infinite beyond its range.
  public var double: Double { Double(text) ?? .nan }

  private struct Parts: Hashable {
    var negative: Bool
    var digits: String
    var exponent: Int
  }

  /// Sign, digits without zeros at either end, and the exponent of the last digit: equal exactly for equal numbers.
  private var normalized: Parts {
    var copy = text
    return copy.withUTF8 { Self.parts($0) } ?? Parts(negative: false, digits: "", exponent: 0)
  }

  private static func parts(_ bytes: UnsafeBufferPointer<UInt8>) -> Parts? {
    var index = 0
    var negative = false
    if let first = bytes.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
      negative = first == UInt8(ascii: "-")
      index = 1
    }
    var digits: [UInt8] = []
    var exponent = 0
    var seen = false
    var fraction = false
    while index < bytes.count {
      let byte = bytes[index]
      if byte &- 48 <= 9 {
        seen = true
        if fraction { exponent -= 1 }
        if byte != 48 || !digits.isEmpty { digits.append(byte) }
      } else if byte == UInt8(ascii: "."), !fraction {
        fraction = true
      } else {
        break
      }
      index += 1
    }
    guard seen else { return nil }
    if index < bytes.count {
      guard bytes[index] | 0x20 == UInt8(ascii: "e") else { return nil }
      let rest = bytes[(index + 1)...]
      guard rest.count <= 12, let value = Int32(String(decoding: rest, as: UTF8.self)) else { return nil }
      exponent += Int(value)
    }
    while digits.last == 48 {
      digits.removeLast()
      exponent += 1
    }
    if digits.isEmpty { return Parts(negative: false, digits: "", exponent: 0) }
    return Parts(negative: negative, digits: String(decoding: digits, as: UTF8.self), exponent: exponent)
  }

  /// Whether both are the same number, whatever their texts. O(n).
  public static func == (left: Self, right: Self) -> Bool {
    left.normalized == right.normalized
  }

  /// Hashes the number, so that equal numbers with other texts hash alike.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(normalized)
  }

  /// The number as it was given.
  public var description: String { text }

  /// Reads the number as a string, from any decoder. `TransitDecoder` also takes a big decimal.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let value = Self(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a decimal number")
    }
    self = value
  }

  /// Writes the number as a string, to any encoder. `TransitEncoder` writes a big decimal.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}
