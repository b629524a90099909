import Foundation

/// What a figure is to be.
package enum Target: Sendable {
  case atMost(Double)
  case atLeast(Double)
  /// For comparison only.
  case none
}

/// The table of results, printed line by line as they come.
package struct Table: Sendable {
  private static let width = 62

  package init() {}

  package func header() {
    line("", "median", "p90", "unit", "target")
  }

  /// A line; `p90` is the worse end, so the low one for a rate.
  package func row(_ name: String, _ samples: Samples, _ unit: String, _ target: Target = .none) {
    let median = samples.median
    var verdict = ""
    var worse = samples.quantile(0.9)
    switch target {
    case .atMost(let limit): verdict = "≤ \(Self.text(limit)) \(median <= limit ? "met" : "MISSED")"
    case .atLeast(let limit):
      worse = samples.quantile(0.1)
      verdict = "≥ \(Self.text(limit)) \(median >= limit ? "met" : "MISSED")"
    case .none: break
    }
    line(name, Self.text(median), Self.text(worse), unit, verdict)
  }

  private func line(_ name: String, _ median: String, _ p90: String, _ unit: String, _ target: String) {
    func right(_ text: String) -> String { String(repeating: " ", count: max(0, 10 - text.count)) + text }
    let name = name.padding(toLength: Self.width, withPad: " ", startingAt: 0)
    let unit = unit.padding(toLength: 10, withPad: " ", startingAt: 0)
    print("\(name)\(right(median))\(right(p90)) \(unit) \(target)")
    fflush(nil)
  }

  private static func text(_ number: Double) -> String {
    switch abs(number) {
    case 1000...: String(Int(number.rounded()))
    case 10...: String(format: "%.1f", number)
    default: String(format: "%.2f", number)
    }
  }
}
