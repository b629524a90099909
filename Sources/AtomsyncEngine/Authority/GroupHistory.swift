internal import AtomsyncCore
package import Foundation

/// A place in a group's history, which no other history has: a sequence, and the epoch whose changes it counts.
///
/// A store may be put back to an earlier state, by a copy or by a power cut, and go on from there: then a sequence
/// names two changes. Each authority therefore begins an epoch, with a name of its own, before it writes to a store
/// that it has opened; and a sequence is given once in an epoch. So who names a place names everything before it.
/// (Docs/Decisions/0020; Raft's index and term, and Kafka's leader epochs, are the models.)
package struct HistoryPlace: Hashable, Sendable {
  package var epoch: UUID
  package var sequence: Int64

  package init(epoch: UUID, sequence: Int64) {
    self.epoch = epoch
    self.sequence = sequence
  }
}

/// What is known of a group's history in one snapshot: where it stands, and where earlier epochs ended.
package struct GroupHistory {
  package let head: GroupHead
  /// Stands in for the epoch of what was written before there were epochs.
  private let identity: UUID
  private var ends: [UUID: Int64] = [:]

  package init(head: GroupHead, identity: UUID) {
    self.head = head
    self.identity = identity
  }

  /// The newest place.
  package var place: HistoryPlace { HistoryPlace(epoch: head.epoch ?? identity, sequence: head.counter) }

  /// Adds the end of an epoch, as its row says (`nil`: it has none).
  package mutating func addEnd(of epoch: UUID, _ row: [UInt8]?) throws {
    if let row { ends[epoch] = try EpochEnd(row).sequence }
  }

  /// Whether the history leads through a place. The row of the place's epoch has to be known, if there is one.
  package func has(_ place: HistoryPlace) -> Bool {
    if place.sequence == 0 { return true }  // the beginning of every history
    if place.epoch == self.place.epoch { return place.sequence <= head.counter }
    return ends[place.epoch].map { place.sequence <= $0 } ?? false
  }
}
