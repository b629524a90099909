/// A fraction of two integers of any size, as Clojure's `1/3`. It is kept as given, not reduced.
public struct TransitRatio: Hashable, Sendable, Codable, CustomStringConvertible {
  /// What is divided.
  public let numerator: TransitBigInteger
  /// What it is divided by; not zero in a ratio that was read.
  public let denominator: TransitBigInteger

  /// - Parameters:
  ///   - numerator: what is divided.
  ///   - denominator: what it is divided by.
  public init(_ numerator: TransitBigInteger, _ denominator: TransitBigInteger) {
    self.numerator = numerator
    self.denominator = denominator
  }

  /// Numerator and denominator with a slash in between: `1/3`.
  public var description: String { "\(numerator)/\(denominator)" }
}
