import Atomsync
import AtomsyncTesting
import Testing

/// The simulation bites: each of these defects, planted in the engine, is found. That none is found without them is
/// what ``SimulationTests`` says.
@Suite struct PlantedFaultTests {
  static let faults: [(name: String, fault: PlantedFaults)] = [
    ("the cursor is saved before the page", .cursorBeforePage),
    ("an acknowledgement clears a newer edit", .acknowledgementClearsNewerEdit),
    ("the push is not frozen", .pushNotFrozen),
    ("the server does not store the verdict", .verdictNotStored),
    ("a reset drops what is pending", .resetDropsPending),
    ("tombstones are purged without a horizon", .purgeWithoutHorizon),
    ("the base version is not raised after an acknowledgement", .baseVersionNotRaised),
    ("a page is read from two snapshots", .pageFromTwoSnapshots),
    ("a live event is skipped", .liveEventSkipped),
  ]

  @Test(arguments: faults.indices) func isFound(index: Int) {
    let fault = Self.faults[index].fault
    let found = (0..<UInt64(2000)).first { seed in
      var simulation = Simulation(seed: seed, faults: fault)
      return (try? simulation.run()) == nil
    }
    #expect(found != nil, "\(Self.faults[index].name)")
  }

  @Test func theListIsComplete() {
    #expect(Self.faults.reduce(into: PlantedFaults()) { $0.formUnion($1.fault) } == .all)
    #expect(Self.faults.count == PlantedFaults.all.rawValue.nonzeroBitCount)
  }
}
