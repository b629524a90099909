import Atomsync
import AtomsyncCore
import AtomsyncTesting
import Testing
import Transit

@Suite("Simulation")
struct SimulationTests {
  @Test("No write is lost, and everybody agrees", arguments: 0..<20)
  func seeds(chunk: Int) throws {
    for seed in (chunk * 100)..<((chunk + 1) * 100) {
      var simulation = Simulation(seed: UInt64(seed))
      try simulation.run()
    }
  }

  @Test("A seed replays to the letter", arguments: 0..<8 as Range<UInt64>)
  func replays(seed: UInt64) throws {
    func history() throws -> [String] {
      let lines = Lock<[String]>([])
      var simulation = Simulation(seed: seed)
      simulation.trace = { line in lines.withLock { $0.append(line) } }
      try simulation.run()
      return lines.withLock { $0 }
    }
    let (first, second) = (try history(), try history())
    #expect(first == second && first.count > 100)
  }

  /// What an application does to test its own merge on values of its own.
  @Test("An application's merge is tested", arguments: 0..<50 as Range<UInt64>)
  func applicationsMerge(seed: UInt64) throws {
    let (merges, strangers) = (Lock(0), Lock(0))
    let union: ConflictPolicy.Merge = { input in
      guard let local = input.local, let remote = input.remote else { return nil }
      guard case .map(var local) = local, case .map(let remote) = remote else {
        strangers.withLock { $0 += 1 }
        return nil
      }
      guard case .set(let ours)? = local[.keyword("tags")], case .set(let theirs)? = remote[.keyword("tags")]
      else { throw Unexpected() }
      merges.withLock { $0 += 1 }
      local[.keyword("tags")] = .set(TransitSet(Array(ours) + Array(theirs)))
      return .map(local)
    }
    for policy in [ConflictPolicy.merge(union), .rebase(otherwise: union)] {
      var simulation = Simulation(seed: seed, policies: [policy])
      simulation.makeValue = { random, count in
        [
          .keyword("title"): .string("no. \(count)"),
          .keyword("tags"): .set([.keyword(random.oneIn(2) ? "urgent" : "home")]),
        ]
      }
      try simulation.run()
    }
    #expect(merges.withLock { $0 } > 0)
    #expect(strangers.withLock { $0 } == 0, "only what makeValue made is merged")
  }

  private struct Unexpected: Error {}
}
