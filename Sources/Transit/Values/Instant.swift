#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// A moment in UTC with the precision of Transit: whole milliseconds since 1970, before or after it.
public struct Instant: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
  /// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds; negative before it.
  public var milliseconds: Int64

  /// - Parameter milliseconds: milliseconds since 1970, negative before it.
  @inline(__always)
  public init(milliseconds: Int64) {
    self.milliseconds = milliseconds
  }

  /// The whole millisecond at or before a date, so that a fraction below a millisecond is dropped towards the past.
  ///
  /// A date beyond what 64 bits of milliseconds hold (292 million years) becomes the nearest instant.
  public init(_ date: Date) {
    // A Date counts seconds since 2001 as a Double; a millisecond is rarely exact in it. Anything within a
    // microsecond below a whole millisecond is that millisecond, so that Instant -> Date -> Instant is lossless.
    let value = date.timeIntervalSinceReferenceDate * 1000 + 978_307_200_000
    let rounded = value.rounded()
    let whole = abs(value - rounded) < 0.001 || abs(value) > 0x1p51 ? rounded : value.rounded(.down)
    if whole.isNaN {
      milliseconds = 0
    } else if whole >= 0x1p63 {
      milliseconds = .max
    } else if whole < -0x1p63 {
      milliseconds = .min
    } else {
      milliseconds = Int64(whole)
    }
  }

  /// The same moment as a Foundation date, exact to its own precision (well below a millisecond for centuries).
  public var date: Date {
    let (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
    return Date(timeIntervalSinceReferenceDate: Double(seconds - 978_307_200) + Double(rest) / 1000)
  }

  /// Whether `left` is earlier than `right`.
  public static func < (left: Instant, right: Instant) -> Bool {
    left.milliseconds < right.milliseconds
  }

  /// RFC 3339 in UTC with milliseconds, as `2014-04-07T22:17:17.000Z`; `@` and the number outside years 0 to 9999.
  public var description: String {
    CivilTime.text(milliseconds: milliseconds) ?? "@\(milliseconds)"
  }

  /// Reads milliseconds since 1970, from any decoder. `TransitDecoder` reads an instant.
  public init(from decoder: any Decoder) throws {
    self.init(milliseconds: try decoder.singleValueContainer().decode(Int64.self))
  }

  /// Writes milliseconds since 1970, to any encoder. `TransitEncoder` writes an instant.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(milliseconds)
  }
}
