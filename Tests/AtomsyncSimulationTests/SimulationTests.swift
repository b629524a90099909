import AtomsyncTesting
import Testing

@Suite("Simulation")
struct SimulationTests {
  @Test("No write is lost, and everybody agrees", arguments: 0..<20)
  func seeds(chunk: Int) throws {
    for seed in (chunk * 100)..<((chunk + 1) * 100) {
      var simulation = Simulation(seed: UInt64(seed))
      try simulation.run()
    }
  }
}
