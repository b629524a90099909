import Foundation

/// What a piece of work took: the median and the best of several runs.
struct Measurement {
  let median: Double
  let best: Double

  /// Runs a piece of work a few times, its result's release included.
  static func of<R>(runs: Int = 15, _ work: () throws -> R) rethrows -> Measurement {
    var times: [Double] = []
    let clock = ContinuousClock()
    for _ in 0..<runs {
      let start = clock.now
      do { _ = try work() }
      let duration = clock.now - start
      times.append(
        Double(duration.components.seconds) * 1000 + Double(duration.components.attoseconds) / 1e15)
    }
    times.sort()
    return Measurement(median: times[times.count / 2], best: times[0])
  }
}

/// One line of the table.
struct Row {
  let name: String
  let bytes: Int
  let measurement: Measurement
  /// What it is compared with, and the ratio that is demanded.
  var reference: (measurement: Measurement, limit: Double)?

  var line: String {
    let speed = Double(bytes) / 1e6 / (measurement.median / 1000)
    var text = name.padding(toLength: 34, withPad: " ", startingAt: 0)
    text += String(format: "%9.2f %9.2f %9.0f", measurement.median, measurement.best, speed)
    if let reference {
      let ratio = reference.measurement.median / measurement.median
      text += String(format: "   1/%-7.1f", ratio)
      if reference.limit > 0 {
        text += String(format: "1/%-5.0f %@", reference.limit, ratio >= reference.limit ? "met" : "MISSED")
      }
    }
    return text
  }
}
