/// A process with one store, in virtual time: its atoms share a disk, and die together.
struct SimulatedDevice {
  /// The numbers of its replicas, one for each atom.
  let replicas: [Int]
  var disk = SimulatedDisk()
  /// Rises with each crash: what was under way for an earlier life is void.
  var life = 0
  /// A flush of the disk is on its way.
  var isSaving = false

  /// The process dies.
  mutating func crash(_ random: inout SeededRandom) {
    disk.crash(&random)
    life += 1
    isSaving = false
  }
}
