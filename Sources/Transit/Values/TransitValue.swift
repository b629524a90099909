#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// Any value that Transit can say.
///
/// A value is plain data: it can be compared, hashed, sent between tasks, printed (as EDN) and written as JSON or
/// MessagePack. Unknown tags are kept (`tagged`), so that data from newer programs survives.
///
/// Equality is by type and content, as in Clojure: `1` is not `1.0`, `"a"` is not `:a`, maps and sets compare without
/// order. See ``==(_:_:)`` for the fine print.
public enum TransitValue: Sendable {
  /// Nothing: `nil` in EDN.
  case null
  /// True or false.
  case bool(Bool)
  /// An integer of 64 bits.
  case int(Int64)
  /// An integer of any size. One that fits 64 bits equals the `int` of the same value.
  case bigInt(TransitBigInteger)
  /// A floating-point number, infinities and NaN included.
  case double(Double)
  /// A decimal number of any precision.
  case bigDecimal(TransitBigDecimal)
  /// Text.
  case string(String)
  /// A keyword, as `:done`.
  case keyword(Keyword)
  /// A symbol, as `inc`.
  case symbol(Symbol)
  /// Raw bytes.
  case bytes([UInt8])
  /// A moment in UTC, in milliseconds.
  case instant(Instant)
  /// A UUID.
  case uuid(UUID)
  /// A URI, kept as its text and not examined.
  case uri(String)
  /// One Unicode character.
  case char(Unicode.Scalar)
  /// A vector: the usual array.
  case array([TransitValue])
  /// A list, as Clojure's `(1 2)`.
  case list([TransitValue])
  /// A set.
  case set(TransitSet)
  /// A map with keys of any type.
  case map(TransitMap)
  /// A fraction.
  indirect case ratio(TransitRatio)
  /// A hyperlink.
  case link(TransitLink)
  /// A tag without meaning here, and what stands under it.
  indirect case tagged(TransitTagged)
}

extension TransitValue {
  /// A keyword by its name, without the colon.
  public static func keyword(_ name: String) -> TransitValue { .keyword(Keyword(name)) }

  /// A symbol by its name.
  public static func symbol(_ name: String) -> TransitValue { .symbol(Symbol(name)) }

  /// A moment, in milliseconds since 1970.
  public static func instant(millisecondsSince1970 milliseconds: Int64) -> TransitValue {
    .instant(Instant(milliseconds: milliseconds))
  }

  /// A moment, from a date; see ``Instant/init(_:)-(Date)`` for the rounding.
  public static func instant(_ date: Date) -> TransitValue { .instant(Instant(date)) }

  /// A tag and what stands under it.
  public static func tagged(_ tag: String, _ rep: TransitValue) -> TransitValue {
    .tagged(TransitTagged(tag: tag, rep: rep))
  }

  /// An integer of any type; big where 64 bits do not hold it.
  public static func integer(_ value: some BinaryInteger) -> TransitValue {
    if let small = Int64(exactly: value) { .int(small) } else { .bigInt(TransitBigInteger(value)) }
  }

  /// Whether the value may be the key of a plain map: everything that Transit writes as a scalar.
  ///
  /// One key that may not makes the whole map a `cmap`.
  var isStringable: Bool {
    switch self {
    case .array, .list, .set, .map, .ratio, .link: false
    case .tagged(let tagged): tagged.isScalar
    default: true
    }
  }
}

extension TransitTagged {
  /// Whether the tag has one character and the representation is text, so that it is written as `~X…`.
  var isScalar: Bool {
    guard case .string = rep else { return false }
    var scalars = tag.unicodeScalars.makeIterator()
    guard let first = scalars.next(), scalars.next() == nil else { return false }
    return first != "#" && first != "~" && first != "^" && first != "`"
  }
}
