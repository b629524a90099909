import AtomsyncTesting
import Foundation

// Runs simulations, one seed after the other, until stopped or done:
//   AtomsyncSoak [FIRST-SEED [COUNT]] [--stop]
// Prints each failing seed, and where it stands every 1,000 seeds. With one seed, prints its history as well. Ends with 1
// if any seed failed: after 20 of them, or with --stop after the first.

let numbers = CommandLine.arguments.dropFirst().compactMap { UInt64($0) }
let first = numbers.first ?? 0
let count = numbers.count > 1 ? numbers[1] : .max - first
let started = ContinuousClock.now
let mostFailures = CommandLine.arguments.contains("--stop") ? 1 : 20
var failures = 0
var done: UInt64 = 0

while done < count {
  do {
    var simulation = Simulation(seed: first + done)
    if count == 1 { simulation.trace = { print($0) } }
    try simulation.run()
  } catch {
    failures += 1
    print("FAILED \(error)")
    if failures >= mostFailures { break }
  }
  done += 1
  if done % 1000 == 0 {
    print("\(done) seeds from \(first), \(failures) failed, \(ContinuousClock.now - started)")
    fflush(nil)
  }
}
print("\(done) seeds from \(first), \(failures) failed, \(ContinuousClock.now - started)")
exit(failures > 0 ? 1 : 0)
