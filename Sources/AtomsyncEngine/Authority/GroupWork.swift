package import AtomsyncCore
package import Foundation

/// What an authority brings to a turn.
package struct TurnContext: Sendable {
  /// The store's identity.
  package var identity: UUID
  /// The epoch that changes are written in.
  package var epoch: UUID
  /// The server's clock, in milliseconds since 1970.
  package var now: Int64
  package var limits: Limits

  package init(identity: UUID, epoch: UUID, now: Int64, limits: Limits) {
    self.identity = identity
    self.epoch = epoch
    self.now = now
    self.limits = limits
  }
}

/// Something that is done to one group in a turn, as a pure function of one snapshot: it reads, judges what it has read,
/// and writes all of it in one batch or nothing.
///
/// Every batch has the group's head, as it was read, for a precondition: whatever another authority writes to the group
/// meanwhile makes the work void, as a whole.
package protocol GroupWork: Sendable {
  var group: String { get }
  /// What ``judge(_:_:)`` needs to know.
  var query: StorageQuery { get }
  /// - Throws: `StorageError` when the group's rows cannot be read.
  mutating func judge(_ snapshot: StorageSnapshot, _ context: TurnContext) throws
  /// The group's head as it was read.
  var readHead: GroupHead { get }
  /// What ``finish(_:)`` needs to know next; `nil`: nothing, and it need not be called.
  var contentQuery: StorageQuery? { get }
  mutating func finish(_ values: [[UInt8]?]) throws -> TurnCompletion
  /// What is to be committed.
  var batches: [StorageBatch] { get }
  /// Whether it changes documents, so that live readers have something to read.
  var changesDocuments: Bool { get }
  /// What the pushes of the work came to, in order.
  var judgements: [Judgement] { get }
  /// The work that follows this one once it is committed.
  var next: (any GroupWork)? { get }
}

extension GroupWork {
  package var contentQuery: StorageQuery? { nil }
  package mutating func finish(_ values: [[UInt8]?]) throws -> TurnCompletion { .goesOn }
  package var changesDocuments: Bool { false }
  package var judgements: [Judgement] { [] }
  package var next: (any GroupWork)? { nil }
}

/// What became of a work once the contents that it needs were read.
package enum TurnCompletion {
  /// Nothing speaks against the judgements: read on, or commit.
  case goesOn
  /// The group was written meanwhile: no judgement holds.
  case void
  /// These pushes, by their index, meet a store that contradicts itself. Without them the work can be tried again.
  case corrupt([Int: StorageError])
}

extension GroupHead {
  /// That the group's head is still what was read.
  static func isUnchanged(_ group: String, _ stored: [UInt8]?) -> StoragePrecondition {
    let key = AuthorityKey.head(group)
    return stored.map { .equals(key, $0) } ?? .absent(key)
  }
}

/// Asks the other authorities of the store to leave a group alone until this one's next turn.
///
/// A turn of many documents takes longer to judge than one of few, so it would lose the group to them again and again.
/// A claim is as quick as the quickest turn. Who meets one waits, for a while: its owner may have died.
package struct ClaimWork: GroupWork {
  package let group: String
  private let claim: UUID
  private var stored: [UInt8]?
  package private(set) var readHead = GroupHead()

  package init(group: String, claim: UUID) {
    self.group = group
    self.claim = claim
  }

  package var query: StorageQuery { StorageQuery(keys: [AuthorityKey.head(group)]) }

  package mutating func judge(_ snapshot: StorageSnapshot, _ context: TurnContext) throws {
    stored = snapshot.values.first ?? nil
    readHead = try GroupHead(stored)
  }

  package var batches: [StorageBatch] {
    var head = readHead
    head.claim = claim
    return [
      StorageBatch(
        preconditions: [GroupHead.isUnchanged(group, stored)],
        writes: [.put(AuthorityKey.head(group), head.bytes)])
    ]
  }
}
