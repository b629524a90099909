internal import AtomsyncCore

/// A process with one store, in virtual time: its atoms share a disk and a clock, and die together.
struct SimulatedDevice {
  /// The numbers of its replicas, one for each atom.
  let replicas: [Int]
  /// The user whose token it bears; `nil` when there are no users.
  let user: String?
  /// It bears somebody else's token for a while.
  var strangersToken: String?
  var link: SimulatedLink
  var disk = SimulatedDisk()
  /// Rises with each crash: what was under way for an earlier life is void.
  var life = 0
  /// A flush of the disk is on its way.
  var isSaving = false
  /// The store could not be read at the last start; it is tried again.
  var isDown = false
  /// How far the device's clock is from the true time, in milliseconds.
  var skew: Int64 = 0

  /// What was durable at some moment, with the last durable edit of each replica.
  private(set) var backup: (durable: OrderedBytes, edits: [Int: Int64])?

  init(replicas: [Int], user: String?, link: SimulatedLink) {
    self.replicas = replicas
    self.user = user
    self.link = link
  }

  /// Whom the server takes it for.
  var caller: String? { strangersToken ?? user }

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

/// The way from a device to the servers.
struct SimulatedLink {
  /// How many bytes it takes in a millisecond; `nil`: as many as there are.
  var rate: Int64?
  /// Whether a transfer shows its progress: one that something buffers whole does not.
  var showsProgress = true
  /// Something on the way refuses larger messages.
  var bodyLimit: Int?
}
