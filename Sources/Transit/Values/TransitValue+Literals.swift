extension TransitValue: ExpressibleByNilLiteral {
  /// `nil` is null.
  public init(nilLiteral: ()) { self = .null }
}

extension TransitValue: ExpressibleByBooleanLiteral {
  /// A boolean.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension TransitValue: ExpressibleByIntegerLiteral {
  /// An `int`.
  public init(integerLiteral value: Int64) { self = .int(value) }
}

extension TransitValue: ExpressibleByFloatLiteral {
  /// A `double`.
  public init(floatLiteral value: Double) { self = .double(value) }
}

extension TransitValue: ExpressibleByStringLiteral {
  /// A string.
  public init(stringLiteral value: String) { self = .string(value) }
}

extension TransitValue: ExpressibleByStringInterpolation {}

extension TransitValue: ExpressibleByArrayLiteral {
  /// An array (vector) of the elements.
  public init(arrayLiteral elements: TransitValue...) { self = .array(elements) }
}

extension TransitValue: ExpressibleByDictionaryLiteral {
  /// A map of the entries; string literals as keys are strings. Of two equal keys the later value counts.
  public init(dictionaryLiteral elements: (TransitValue, TransitValue)...) {
    self = .map(TransitMap(elements.lazy.map { (key: $0.0, value: $0.1) }))
  }
}
