internal import AtomsyncCore
internal import CoreMetrics

/// A number that rises.
final class Count: CounterHandler {
  private let state = Lock(Int64(0))

  var value: Int64 { state.withLock { $0 } }

  func increment(by amount: Int64) {
    state.withLock { value in
      let (sum, overflows) = value.addingReportingOverflow(max(0, amount))
      value = overflows ? 0 : sum
    }
  }

  func reset() { state.withLock { $0 = 0 } }
}

/// A number that rises and falls.
final class Gauge: MeterHandler, RecorderHandler {
  private let state = Lock(0.0)

  var value: Double { state.withLock { $0 } }

  func set(_ value: Int64) { set(Double(value)) }
  func set(_ value: Double) { state.withLock { $0 = value } }
  func increment(by amount: Double) { state.withLock { $0 += amount } }
  func decrement(by amount: Double) { state.withLock { $0 -= amount } }
  func record(_ value: Int64) { set(value) }
  func record(_ value: Double) { set(value) }
}

/// How often numbers of some sizes came.
final class Histogram: TimerHandler, RecorderHandler {
  private struct State {
    var counts: [Int64]
    var sum = 0.0
  }

  private let bounds: [Double]
  private let state: Lock<State>

  /// From half a millisecond to ten seconds.
  static let seconds: [Double] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  ]
  static let sizes: [Double] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000]

  /// - Parameter bounds: the upper bounds of the sizes that are told apart, rising.
  init(_ bounds: [Double]) {
    self.bounds = bounds
    state = Lock(State(counts: Array(repeating: 0, count: bounds.count + 1)))
  }

  func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
  func record(_ value: Int64) { record(Double(value)) }

  func record(_ value: Double) {
    let place = bounds.firstIndex { value <= $0 } ?? bounds.count
    state.withLock { state in
      state.counts[place] += 1
      state.sum += value
    }
  }

  func text(_ series: PrometheusRegistry.Series) -> String {
    let state = state.withLock { $0 }
    var text = ""
    var total: Int64 = 0
    for (bound, count) in zip(bounds.map(PrometheusText.number) + ["+Inf"], state.counts) {
      total += count
      let labels = PrometheusText.adding("le", bound, to: series.labels)
      text += "\(series.name)_bucket\(labels) \(total)\n"
    }
    text += "\(series.name)_sum\(series.labels) \(PrometheusText.number(state.sum))\n"
    return text + "\(series.name)_count\(series.labels) \(total)\n"
  }
}
