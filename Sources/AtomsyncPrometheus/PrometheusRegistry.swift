internal import AtomsyncCore
package import CoreMetrics

/// What swift-metrics is told, as the text that Prometheus reads (exposition format 0.0.4).
///
/// ## Behavior
/// Counters and meters are one line for each set of labels; timers, in seconds, and recorders are histograms. A metric
/// with more than 1,000 sets of labels is told as one without the others, so that nothing a client sends can make it grow.
package final class PrometheusRegistry: MetricsFactory {
  struct Series: Hashable {
    let name: String
    /// As they are written: `{method="GET",status="200"}`, or nothing.
    let labels: String
  }

  private struct State {
    var counters: [Series: Count] = [:]
    var gauges: [Series: Gauge] = [:]
    var histograms: [Series: Histogram] = [:]
    var sizes: [String: Int] = [:]
  }

  private let state = Lock(State())

  private static let mostSeries = 1000

  package init() {}

  // MARK: What there is

  /// Every metric, by name.
  package func text() -> String {
    let state = state.withLock { $0 }
    var lines: [(name: String, type: String, labels: String, body: String)] = []
    for (series, count) in state.counters {
      lines.append((series.name, "counter", series.labels, "\(series.name)\(series.labels) \(count.value)\n"))
    }
    for (series, gauge) in state.gauges {
      let value = PrometheusText.number(gauge.value)
      lines.append((series.name, "gauge", series.labels, "\(series.name)\(series.labels) \(value)\n"))
    }
    for (series, histogram) in state.histograms {
      lines.append((series.name, "histogram", series.labels, histogram.text(series)))
    }
    lines.sort { ($0.name, $0.labels) < ($1.name, $1.labels) }
    var text = ""
    var last: String?
    for line in lines {
      if line.name != last { text += "# TYPE \(line.name) \(line.type)\n" }
      last = line.name
      text += line.body
    }
    return text
  }

  // MARK: What swift-metrics asks for

  package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    make(PrometheusText.name(label, suffix: "_total"), dimensions, \.counters) { Count() }
  }

  package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    make(PrometheusText.name(label), dimensions, \.gauges) { Gauge() }
  }

  package func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    if !aggregate { return make(PrometheusText.name(label), dimensions, \.gauges) { Gauge() } }
    return make(PrometheusText.name(label), dimensions, \.histograms) { Histogram(Histogram.sizes) }
  }

  package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    make(PrometheusText.name(label, suffix: "_seconds"), dimensions, \.histograms) {
      Histogram(Histogram.seconds)
    }
  }

  // Series stay: what is counted once is counted on.
  package func destroyCounter(_ handler: any CounterHandler) {}
  package func destroyMeter(_ handler: any MeterHandler) {}
  package func destroyRecorder(_ handler: any RecorderHandler) {}
  package func destroyTimer(_ handler: any TimerHandler) {}

  private func make<Handler: Sendable>(
    _ name: String, _ dimensions: [(String, String)],
    _ place: any WritableKeyPath<State, [Series: Handler]> & Sendable, _ create: @Sendable () -> Handler
  ) -> Handler {
    let labels = PrometheusText.labels(dimensions)
    return state.withLock { state in
      let isFull = state.sizes[name, default: 0] >= Self.mostSeries
      var series = Series(name: name, labels: labels)
      if let known = state[keyPath: place][series] { return known }
      if isFull { series = Series(name: name, labels: PrometheusText.labels([("other", "true")])) }
      if let known = state[keyPath: place][series] { return known }
      let handler = create()
      state[keyPath: place][series] = handler
      state.sizes[name, default: 0] += 1
      return handler
    }
  }
}
