import Foundation

/// What several runs of one thing took.
public struct Samples: Sendable {
  private var values: [Double] = []

  public init() {}

  public mutating func append(_ value: Double) { values.append(value) }

  /// The value below which this part of all lies; 0 without any.
  public func quantile(_ part: Double) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]
  }

  public var median: Double { quantile(0.5) }
}

extension Duration {
  /// In seconds.
  public var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
