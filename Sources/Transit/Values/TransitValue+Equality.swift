extension TransitValue: Hashable {
  /// Whether two values are the same data.
  ///
  /// - Types count: `1`, `1.0` and `"1"` differ, and so do a keyword, a symbol and a string of one name.
  /// - `int` and `bigInt` of one number are equal, as Clojure's `5` and `5N` are; big decimals compare as numbers.
  /// - A double equals itself: NaN equals NaN (unlike IEEE 754), so that a value that was read back equals what was
  ///   written. `0.0` equals `-0.0`.
  /// - A list and a vector with the same elements differ (unlike Clojure): they are written differently, and who
  ///   looks for changes by comparing would miss one.
  /// - Texts compare by their code units, not by canonical equivalence, as they do in every other Transit.
  /// - Maps and sets compare without order.
  public static func == (left: TransitValue, right: TransitValue) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.bool(let a), .bool(let b)): a == b
    case (.int(let a), .int(let b)): a == b
    case (.double(let a), .double(let b)): a == b || (a.isNaN && b.isNaN)
    case (.string(let a), .string(let b)): ExactText.equal(a, b)
    case (.keyword(let a), .keyword(let b)): a == b
    case (.symbol(let a), .symbol(let b)): a == b
    case (.instant(let a), .instant(let b)): a == b
    case (.uuid(let a), .uuid(let b)): a == b
    case (.array(let a), .array(let b)): a == b
    case (.map(let a), .map(let b)): a == b
    case (.set(let a), .set(let b)): a == b
    default: equalRarely(left, right)
    }
  }

  private static func equalRarely(_ left: TransitValue, _ right: TransitValue) -> Bool {
    switch (left, right) {
    case (.bigInt(let a), .bigInt(let b)): a == b
    case (.bigInt(let a), .int(let b)), (.int(let b), .bigInt(let a)): a.int64 == b
    case (.bigDecimal(let a), .bigDecimal(let b)): a == b
    case (.bytes(let a), .bytes(let b)): a == b
    case (.uri(let a), .uri(let b)): ExactText.equal(a, b)
    case (.char(let a), .char(let b)): a == b
    case (.list(let a), .list(let b)): a == b
    case (.ratio(let a), .ratio(let b)): a == b
    case (.link(let a), .link(let b)): a == b
    case (.tagged(let a), .tagged(let b)): a == b
    default: false
    }
  }

  /// Hashes the value. An `int` and a `bigInt` of one number hash alike, as they are equal.
  public func hash(into hasher: inout Hasher) {
    switch self {
    case .null: hasher.combine(0 as UInt8)
    case .bool(let value): hasher.combine(value ? 1 : 2 as UInt8)
    case .int(let value): hasher.combine(value)
    case .bigInt(let value):
      if let small = value.int64 { hasher.combine(small) } else { hasher.combine(value) }
    case .double(let value):
      hasher.combine(3 as UInt8)
      hasher.combine(value.isNaN ? .nan : value)
    case .bigDecimal(let value): hasher.combine(value)
    case .string(let value): ExactText.hash(value, into: &hasher)
    case .keyword(let value):
      hasher.combine(4 as UInt8)
      hasher.combine(value)
    case .symbol(let value):
      hasher.combine(5 as UInt8)
      hasher.combine(value)
    case .bytes(let value): hasher.combine(value)
    case .instant(let value):
      hasher.combine(6 as UInt8)
      hasher.combine(value)
    case .uuid(let value): hasher.combine(value)
    case .uri(let value):
      hasher.combine(7 as UInt8)
      ExactText.hash(value, into: &hasher)
    case .char(let value): hasher.combine(value)
    case .array(let value):
      hasher.combine(8 as UInt8)
      hasher.combine(value)
    case .list(let value):
      hasher.combine(9 as UInt8)
      hasher.combine(value)
    case .set(let value): hasher.combine(value)
    case .map(let value): hasher.combine(value)
    case .ratio(let value): hasher.combine(value)
    case .link(let value): hasher.combine(value.map)
    case .tagged(let value): hasher.combine(value)
    }
  }
}
