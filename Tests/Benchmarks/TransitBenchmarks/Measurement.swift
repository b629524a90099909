import Foundation

/// A piece of work to measure, and what it is compared with.
struct Workload {
  let name: String
  /// How much it reads or writes.
  let bytes: Int
  /// The name of the workload that it must beat, and by what factor; a factor of zero demands nothing.
  let reference: String?
  let factor: Double
  /// How many rounds to sit out, for work that takes long.
  let every: Int
  let work: () throws -> Void

  init<R>(
    _ name: String, bytes: Int, against reference: String? = nil, factor: Double = 0, every: Int = 1,
    _ work: @escaping () throws -> R
  ) {
    self.name = name
    self.bytes = bytes
    self.reference = reference
    self.factor = factor
    self.every = every
    self.work = { _ = try work() }
  }
}

/// The times of workloads that took turns, so that a busy machine is busy for all of them.
struct Measurements {
  private(set) var times: [String: [Double]] = [:]

  /// Runs all workloads for a number of rounds. A result's release counts as part of the work.
  init(_ workloads: [Workload], rounds: Int) throws {
    let clock = ContinuousClock()
    for round in 0...rounds {
      for workload in workloads where round % workload.every == 0 {
        let start = clock.now
        try workload.work()
        let duration = (clock.now - start).components
        // The first round warms up.
        if round == 0 { continue }
        let milliseconds = Double(duration.seconds) * 1000 + Double(duration.attoseconds) / 1e15
        times[workload.name, default: []].append(milliseconds)
      }
    }
    for name in times.keys { times[name]?.sort() }
  }

  func median(_ name: String) -> Double {
    guard let times = times[name], !times.isEmpty else { return .nan }
    return times[times.count / 2]
  }

  func best(_ name: String) -> Double { times[name]?.first ?? .nan }

  /// One line of the table.
  func line(_ workload: Workload) -> String {
    let median = median(workload.name)
    let best = best(workload.name)
    let speed = Double(workload.bytes) / 1e6 / (best / 1000)
    var text = workload.name.padding(toLength: 34, withPad: " ", startingAt: 0)
    text += String(format: "%9.2f %9.2f %8.0f", median, best, speed)
    guard let reference = workload.reference, times[reference] != nil else { return text }
    let ratio = self.median(reference) / median
    text += String(format: "   1/%-6.1f 1/%-6.1f", ratio, self.best(reference) / best)
    if workload.factor > 0 {
      text += String(format: "  1/%-3.0f %@", workload.factor, ratio >= workload.factor ? "met" : "MISSED")
    }
    return text
  }
}
