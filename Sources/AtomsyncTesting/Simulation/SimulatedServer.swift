internal import Atomsync
internal import AtomsyncCore
internal import Foundation

/// An authority in virtual time: the real rules over a store in memory, one request at a time.
struct SimulatedServer {
  private(set) var store = OrderedBytes()
  private(set) var identity: UUID
  let faults: PlantedFaults
  private var limits = Limits()
  /// Every accepted edit of the store's history, oldest first: what the oracle looks at.
  private(set) var history: [Accepted] = []
  private var dump: (store: OrderedBytes, history: [Accepted])?

  mutating func beStrict() { limits.valueBytes = Self.strictValueBytes }

  struct Accepted: Equatable {
    var group: String
    var id: String
    var version: Int64
    var payload: Payload?
  }

  /// A strict server takes no larger values, in bytes.
  static let strictValueBytes = 100

  init(identity: UUID, faults: PlantedFaults) {
    self.identity = identity
    self.faults = faults
    limits.pageDocuments = 3  // so that everything is paged
  }

  /// - Parameter stale: with the planted fault, the store as it was when the documents were read.
  func pull(_ request: PullRequest, now: Int64, stale: OrderedBytes? = nil) throws -> PullPage {
    var plan = PullPlan(
      group: request.group, cursor: request.start.asCursor, identity: identity, limit: limits.pageDocuments,
      byteLimit: limits.pageBytes)
    while true {
      var snapshot = store.read(plan.query)
      if let stale, faults.contains(.pageFromTwoSnapshots) { snapshot.scans = stale.read(plan.query).scans }
      switch try plan.outcome(of: snapshot, now: now) {
      case .page(let page): return page
      case .again(let next): plan = next
      }
    }
  }

  enum PushOutcome {
    case answer(PushAnswer)
    case refused(ErrorBody)
  }

  /// - Throws: ``Violation`` when versions or sequences do not rise.
  mutating func push(_ request: PushRequest, now: Int64) throws -> PushOutcome {
    var turn = PushTurn([request], identity: identity, now: now, limits: limits, faults: faults)
    let judged = try turn.judge(store.read(turn.query))
    guard let judgement = try turn.finish(judged, store.read(turn.staleQuery(for: judged)))?.first else {
      throw Violation("A push was judged on documents that are not there.")
    }
    switch judgement {
    case .refused(let error): return .refused(error)
    case .replay(let answer): return .answer(answer)
    case .answer(let answer, let batch):
      if !batch.writes.isEmpty {
        let before = try sequence(of: request.group)
        guard store.apply(batch) == .committed else { throw Violation("A push's batch was refused.") }
        let count = try record(answer, of: request)
        let after = try sequence(of: request.group)
        if after < before + Int64(count) {
          throw Violation("The sequence went from \(before) to \(after) with \(count) documents.")
        }
      }
      return .answer(answer)
    }
  }

  private func sequence(of group: String) throws -> Int64 {
    try GroupHead(store.read(StorageQuery(keys: [AuthorityKey.head(group)])).values.first ?? nil).counter
  }

  /// - Returns: how many documents were written.
  private mutating func record(_ answer: PushAnswer, of request: PushRequest) throws -> Int {
    var count = 0
    for acceptance in answer.accepted {
      guard let edit = request.edits.first(where: { $0.id == acceptance.id }) else {
        throw Violation("The answer names \(acceptance.id), which was not pushed.")
      }
      if request.isAtomic && !answer.rejected.isEmpty {
        throw Violation("An atomic push was taken in part: \(answer.rejected.map(\.id)) were not.")
      }
      let last = history.last { $0.group == request.group && $0.id == acceptance.id }
      if edit.content == .deleted && (last?.payload == nil) { continue }  // deleting nothing changes nothing
      if let last, acceptance.version <= last.version {
        throw Violation("The version of \(acceptance.id) went from \(last.version) to \(acceptance.version).")
      }
      if last?.payload == nil, last != nil, edit.version != 0, edit.version != last?.version {
        throw Violation("\(acceptance.id) came back by an edit of its version \(edit.version).")
      }
      count += 1
      history.append(
        Accepted(
          group: request.group, id: acceptance.id, version: acceptance.version, payload: edit.content.payload)
      )
    }
    return count
  }

  /// Forgets every tombstone of a group.
  mutating func purge(_ group: String) throws {
    var purge = Purge(group: group, cutoff: .max, faults: faults)
    var hasMore = true
    while hasMore {
      let (batch, more) = try purge.step(store.read(purge.query))
      if let batch { _ = store.apply(batch) }
      hasMore = more
    }
  }

  mutating func makeDump() { dump = dump ?? (store, history) }

  /// Goes back to the dump, as another store. False when there is none.
  mutating func restore(identity: UUID) -> Bool {
    guard let dump else { return false }
    (store, history) = dump
    self.identity = identity
    return true
  }

  /// Whether the document has been absent at some time since it first existed.
  func wasEverGone(_ group: String, _ id: String) -> Bool {
    let lives = history.filter { $0.group == group && $0.id == id }
    return lives.isEmpty || lives.contains { $0.payload == nil }
  }

  /// The documents of a group that are alive, with their bytes.
  func live(_ group: String) -> [String: Payload] {
    history.lazy.filter { $0.group == group }.reduce(into: [:]) { $0[$1.id] = $1.payload }
  }
}

extension PullRequest.Start {
  var asCursor: Cursor? { if case .cursor(let cursor) = self { cursor } else { nil } }
}

/// A rule that was broken.
struct Violation: Error {
  var message: String
  init(_ message: String) { self.message = message }
}
