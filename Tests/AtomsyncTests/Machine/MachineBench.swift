import Atomsync
import AtomsyncCore
import Foundation
import HashTreeCollections
import Transit

/// A machine in a state of one's choice, and the numbers that are current in it.
struct MachineBench {
  var machine: ReplicaMachine
  var request = 0
  var stream = 0
  var timer = ReplicaTimer(.retry, 0)
  /// The deadline of the request.
  var deadline = ReplicaTimer(.deadline, 0)
  /// The last wait for a live stream to tell of a push.
  var echo: ReplicaTimer?
  /// The documents of the push that was sent last.
  var pushed: [Edit] = []
  /// What the application was asked last.
  var merge: MergeTask?

  init(_ policy: ConflictPolicy = .serverWins, limits: Limits = Limits(), retention: Int64 = .max) {
    let settings = ReplicaMachine.Settings(
      group: "g", atom: "g", policy: policy, limits: limits, retention: retention)
    machine = ReplicaMachine(settings, client: UUID())
  }

  /// A machine that has been led to the state, as Docs/Replica.md describes it.
  init(_ state: String) throws {
    self.init(state == "merging" ? .merge { $0.local } : .serverWins)
    if state == "offline" { return }
    feed(.connect)
    switch state {
    case "offline, saving":
      feed(.pulled(request: request, try Self.page(1)))
      feed(.disconnect)
    case "pulling":
      try rest()
      feed(.sync)
    case "waiting": feed(.pullFailed(request: request, TransportError(.unreachable, "no")))
    case "pulling ahead", "saving, next here":
      feed(.pulled(request: request, try Self.page(1, hasMore: true)))
      if state == "saving, next here" { feed(.pulled(request: request, try Self.page(2))) }
    case "saving": feed(.pulled(request: request, try Self.page(1)))
    case "stopped": feed(.close)
    case "wrong user":
      try rest()
      feed(.sync)
      feed(.pulled(request: request, try Self.page(2, user: "eve")))
    default:
      try rest()
      try lead(to: state)
    }
  }

  private mutating func lead(to state: String) throws {
    switch state {
    case "polling":
      feed(.liveEnded(stream: stream, TransportError(.unsupported, "no live stream")))
      try rest()
    case "saving live": feed(.livePage(stream: stream, try Self.page(2)))
    case "freezing": try edit("b", "mine")
    case "live": break
    default:
      try edit("b", "mine")
      saved()
      try leadOn(to: state)
    }
  }

  /// From *pushing*.
  private mutating func leadOn(to state: String) throws {
    switch state {
    case "waiting, push open":
      feed(.pushFailed(request: request, TransportError(.timedOut, "no"), freshClient: UUID()))
    case "pushing, page held": feed(.livePage(stream: stream, try Self.page(2)))
    case "merging": feed(.pushed(request: request, RemoteAnswer(try stale())))
    default: break  // pushing
    }
  }

  /// Answers the pull under way, and makes it durable.
  mutating func rest(_ version: Int64 = 1) throws {
    feed(.pulled(request: request, try Self.page(version)))
    saved()
  }

  mutating func saved() { feed(.saved(ticket: machine.lastTicket)) }

  @discardableResult
  mutating func feed(_ event: ReplicaEvent, now: Int64 = 1) -> ReplicaEffects {
    note(machine.handle(event, now: now))
  }

  @discardableResult
  mutating func edit(_ id: String, _ value: TransitValue?, isAtomic: Bool = false) throws -> ReplicaEffects {
    try edit([id: value], isAtomic: isAtomic)
  }

  @discardableResult
  mutating func edit(_ values: [String: TransitValue?], isAtomic: Bool = false) throws -> ReplicaEffects {
    let changes = try values.sorted { $0.key < $1.key }
      .map { (id: $0.key, value: try $0.value.map { try StoredValue($0) }) }
    return note(try machine.edit(changes, isAtomic: isAtomic, now: 1))
  }

  private mutating func note(_ effects: ReplicaEffects) -> ReplicaEffects {
    for action in effects.actions {
      switch action {
      case .pull(let number, _): request = number
      case .push(let number, let message):
        request = number
        pushed = message.request.edits
      case .openLive(let number, _): stream = number
      case .startTimer(let started, _):
        switch started.kind {
        case .retry, .refusal, .poll: timer = started
        case .deadline: deadline = started
        case .echo: echo = started
        case .opening, .steady: break
        }
      case .merge(let task): merge = task
      case .abandon, .closeLive, .readOn, .cancelTimer, .passEnded, .firstAttemptEnded: break
      }
    }
    return effects
  }

  /// Accepts the push that was sent last.
  mutating func accept(version: Int64 = 1) -> ReplicaEffects {
    feed(.pushed(request: request, RemoteAnswer(answer(version: version))))
  }

  func answer(version: Int64 = 1) -> PushAnswer {
    let accepted = pushed.map { PushAnswer.Acceptance(id: $0.id, version: version, updated: 1) }
    return PushAnswer(group: "g", accepted: accepted, rejected: [], now: 1)
  }

  /// The answer that rejects every document that was sent last.
  func refusal(_ reason: RejectionReason, current: Document? = nil) -> PushAnswer {
    let rejected = pushed.map { edit in
      var current = current
      current?.id = edit.id
      return PushAnswer.Rejection(id: edit.id, reason: reason, current: current)
    }
    return PushAnswer(group: "g", accepted: [], rejected: rejected, now: 1)
  }

  /// The answer that somebody else has written what was sent last.
  func stale(version: Int64 = 4, value: TransitValue? = "theirs") throws -> PushAnswer {
    let content: Content = try value.map { .value(Payload(bytes: try $0.transit(.msgpack))) } ?? .deleted
    return refusal(.stale, current: Document(id: "", version: version, updated: 1, content: content))
  }

  /// A page with the document `a` in this version.
  static func page(
    _ version: Int64, id: String = "a", value: TransitValue? = "theirs", hasMore: Bool = false,
    isReset: Bool = false, user: String? = "ann"
  ) throws -> RemotePage {
    let content: Content = try value.map { .value(Payload(bytes: try $0.transit(.msgpack))) } ?? .deleted
    return try opened(
      PullPage(
        group: "g", documents: [Document(id: id, version: version, updated: 1, content: content)],
        cursor: Cursor("c\(version)"), hasMore: hasMore, isReset: isReset, now: 1, user: user))
  }

  private static func opened(_ page: PullPage) throws -> RemotePage {
    try DocumentSealing(nil, group: page.group).open(page)
  }

  /// A page with so many documents that are not there yet.
  static func page(from number: Int, count: Int, hasMore: Bool) throws -> RemotePage {
    let content = Content.value(Payload(bytes: try TransitValue.int(1).transit(.msgpack)))
    let documents = (number..<number + count).map {
      Document(id: "n\($0)", version: 1, updated: 1, content: content)
    }
    return try opened(
      PullPage(
        group: "g", documents: documents, cursor: Cursor("n\(number)"), hasMore: hasMore, isReset: false,
        now: 1, user: "ann"))
  }
}

extension ReplicaEffects {
  /// What is to be done, in a word each. Deadlines and the like, which go with requests and streams, are left out.
  var names: [String] {
    (ticket == nil ? [] : ["save"])
      + actions.compactMap { action in
        switch action {
        case .pull: "pull"
        case .push: "push"
        case .openLive: "open live"
        case .closeLive: "close live"
        case .readOn: "read on"
        case .abandon: "abandon"
        case .startTimer(let timer, _):
          switch timer.kind {
          case .retry, .refusal: "back off"
          case .poll: "wait for poll"
          case .deadline, .opening, .steady, .echo: nil
          }
        case .cancelTimer: nil
        case .merge: "merge"
        case .passEnded(nil): "pass done"
        case .passEnded: "pass failed"
        case .firstAttemptEnded: "ready"
        }
      }
  }
}
