import AtomsyncPrometheus
import CoreMetrics
import Foundation
import Testing

@testable import AtomsyncHTTPServer

@Suite(.timeLimit(.minutes(1))) struct MetricsTests {
  @Test func everyKindIsWritten() {
    let registry = PrometheusRegistry()
    let labels = [("method", "GET"), ("path", "a\"b\\c\nd")]
    Counter(label: "requests", dimensions: labels, factory: registry).increment(by: 3)
    Counter(label: "requests", dimensions: labels, factory: registry).increment()
    Meter(label: "streams.open", factory: registry).set(2.5)
    let timer = Timer(label: "wait", factory: registry)
    for milliseconds in [1, 30, 20_000] { timer.recordMilliseconds(milliseconds) }
    Recorder(label: "sizes", factory: registry).record(7)
    let text = registry.text()
    #expect(text.contains("# TYPE requests_total counter\n"))
    #expect(text.contains(#"requests_total{method="GET",path="a\"b\\c\nd"} 4"# + "\n"))
    #expect(text.contains("# TYPE streams_open gauge\nstreams_open 2.5\n"))
    #expect(text.contains("# TYPE wait_seconds histogram\n"))
    #expect(text.contains("wait_seconds_bucket{le=\"0.001\"} 1\n"))
    #expect(text.contains("wait_seconds_bucket{le=\"0.05\"} 2\n"))
    #expect(text.contains("wait_seconds_bucket{le=\"10\"} 2\nwait_seconds_bucket{le=\"+Inf\"} 3\n"))
    #expect(text.contains("wait_seconds_sum 20.031\nwait_seconds_count 3\n"))
    #expect(text.contains("sizes_bucket{le=\"5\"} 0\nsizes_bucket{le=\"10\"} 1\n"))
  }

  @Test func whatClientsSendCannotMakeItGrow() {
    let registry = PrometheusRegistry()
    for number in 0..<5000 {
      Counter(label: "c", dimensions: [("n", "\(number)")], factory: registry).increment()
    }
    let lines = registry.text().split(separator: "\n")
    #expect(lines.count <= 1002)
    #expect(lines.contains(#"c_total{other="true"} 4000"#))
  }
}
