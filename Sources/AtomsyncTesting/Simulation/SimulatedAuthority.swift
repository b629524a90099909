internal import AtomsyncCore
internal import AtomsyncEngine
internal import Foundation

/// A server process in virtual time: the real scheduler and the real turns, over a store that others share.
struct SimulatedAuthority {
  let number: Int
  /// Rises with each crash: what was under way for an earlier life is void.
  var life = 0
  var isUp = true
  var scheduler: PushScheduler
  /// The turn that is under way.
  var turn: Turn?
  /// Where the answers to its pushes go.
  var pushes: [Int: PushOnItsWay] = [:]
  /// The live streams that it serves.
  var streams: [Int: ServedStream] = [:]
  /// The store's changes when it last looked for those of others.
  var knownChanges = 0
  /// How far its clock is from the true time, in milliseconds.
  var skew: Int64 = 0

  /// A push that an authority has taken.
  struct PushOnItsWay {
    var sender: Sender
    var request: Int
    var push: PushRequest
    /// Whether the answer comes back.
    var isAnswered: Bool
  }

  /// Who a message comes from.
  enum Sender: Hashable {
    case replica(Int, life: Int)
    case follower
  }

  /// A live stream, as the server has it.
  struct ServedStream {
    var reader: Sender
    var number: Int
    var groups: [PullRequest]
    /// It waits for the reader to read on.
    var isBusy = false
    /// Nothing gets through any more, and neither side knows.
    var isDead = false
    var isFirst = true
  }

  init(number: Int, identity: UUID, limits: Limits) {
    self.number = number
    scheduler = PushScheduler(identity: identity, limits: limits)
  }

  /// The process dies, with everything that it had not committed.
  mutating func crash() {
    life += 1
    isUp = false
    turn = nil
    pushes = [:]
    streams = [:]
  }

  /// A new process opens the store.
  mutating func start(identity: UUID, limits: Limits) {
    isUp = true
    scheduler = PushScheduler(identity: identity, limits: limits)
    knownChanges = -1
  }
}
