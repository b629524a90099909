import Foundation

/// What several runs of one thing took.
package struct Samples: Sendable {
  private var values: [Double] = []

  package init() {}

  package mutating func append(_ value: Double) { values.append(value) }

  /// The value below which this part of all lies; 0 without any.
  package func quantile(_ part: Double) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]
  }

  package var median: Double { quantile(0.5) }
}

extension Duration {
  /// In seconds.
  package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
