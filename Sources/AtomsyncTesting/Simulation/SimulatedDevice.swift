internal import AtomsyncCore

/// A process with one store, in virtual time: its atoms share a disk, and die together.
struct SimulatedDevice {
  /// The numbers of its replicas, one for each atom.
  let replicas: [Int]
  var disk = SimulatedDisk()
  /// Rises with each crash: what was under way for an earlier life is void.
  var life = 0
  /// A flush of the disk is on its way.
  var isSaving = false

  /// What was durable at some moment, with the last durable edit of each replica.
  private(set) var backup: (durable: OrderedBytes, edits: [Int: Int64])?

  /// Remembers what is durable now, to go back to it once: as a backup, or a disk that lied, does.
  mutating func backUp(_ edits: [Int: Int64]) { backup = (disk.durable, edits) }

  /// The process dies, and its store is put back. False when there is no backup.
  mutating func rollBack() -> Bool {
    guard let backup else { return false }
    disk = SimulatedDisk(backup.durable)
    life += 1
    isSaving = false
    return true
  }

  /// The process dies.
  mutating func crash(_ random: inout SeededRandom) {
    disk.crash(&random)
    life += 1
    isSaving = false
  }
}
