package import AtomsyncCore
internal import DequeModule
package import Foundation

/// Which groups have their turn when: the pushes and the maintenance that wait, as a value that knows no clock, no
/// storage and no task.
///
/// ## Behavior
/// - The pushes to a group are judged in the order in which they came. A group is in one turn at a time.
/// - Groups take turns by rotation, and share them: a turn has a bound on its documents and bytes.
/// - A group that another authority writes to meanwhile is judged again after a rest, alone, with fewer pushes at once,
///   and after some losses it claims its turn. Other groups go on meanwhile.
package struct PushScheduler: Sendable {
  /// What a push or a maintenance came to.
  package enum Result: Sendable {
    case answer(PushAnswer)
    /// The maintenance is done.
    case done
    case failure(any Error)
  }

  /// What follows from the end of a turn.
  package struct Ended: Sendable {
    package var results: [(id: Int, result: Result)] = []
    /// The groups whose documents were changed.
    package var written: [String] = []
    /// Groups that rest: after a backoff of so many losses in a row ``wake(_:)`` is to be called.
    package var resting: [(group: String, losses: Int)] = []
    /// The store has lost commits of this authority: it was put back to an earlier state.
    package var hasLostCommits = false
  }

  private struct Waiting {
    var id: Int
    var push: PushRequest
    var refusals: [String: String]
    var bytes: Int
  }

  private struct Group {
    var waiting: Deque<Waiting> = []
    var maintenance: [(id: Int, work: any GroupWork)] = []
    var isBusy = false
    /// How often in a row another authority got in the way.
    var losses = 0
    /// The most pushes in the next turn.
    var most = Int.max
    /// The claim that this authority has on the group.
    var claim: UUID?
    /// A claim of another authority's, and how often it was met.
    var foreign: (claim: UUID, count: Int)?
    /// How often in a row the group came to nothing, by losses and by claims.
    var delays = 0
    /// The last turn was maintenance: the next one is for pushes, if any wait.
    var hasMaintained = false

    var isEmpty: Bool { waiting.isEmpty && maintenance.isEmpty }
  }

  private var groups: [String: Group] = [:]
  /// The groups that can have a turn, each once, in the order of their turns.
  private var ready: Deque<String> = []
  private var taken: [Int: Waiting] = [:]
  private var waitingCount = 0
  private var waitingBytes = 0
  private var lastID = 0
  private var isClosing = false
  /// This authority's epoch; `nil` before its first commit, and when the store may have lost some of its commits.
  private var epoch: StoreEpoch?
  private let identity: UUID
  private let limits: Limits

  /// The most documents that are judged in one turn, to bound its memory and its latency.
  private static let documentsPerTurn = 4000
  private static let bytesPerTurn = 16 << 20
  /// So many losses in a row, and the group is claimed.
  static let lossesBeforeClaim = 3
  /// So many delays, and the pushes are answered that the group is too busy.
  static let delaysBeforeRefusal = 60
  /// A claim that has been met so often, each time after a rest, is given up for dead.
  static let patienceWithClaims = 12

  package init(identity: UUID, limits: Limits) {
    self.identity = identity
    self.limits = limits
  }

  /// Nothing waits and nothing is under way.
  package var isIdle: Bool { groups.isEmpty }

  // MARK: What comes

  /// Takes a push, to be answered under a number.
  ///
  /// - Parameter refusals: the documents that the application refuses, with its words.
  /// - Throws: `ProtocolError` with `unavailable` when too much waits already.
  package mutating func admit(
    _ push: PushRequest, refusing refusals: [String: String] = [:]
  ) throws(ProtocolError) -> Int {
    let bytes = push.byteCount
    try reserve(bytes)
    lastID += 1
    var group = groups.removeValue(forKey: push.group) ?? Group()
    group.waiting.append(Waiting(id: lastID, push: push, refusals: refusals, bytes: bytes))
    put(group, push.group)
    return lastID
  }

  /// Makes room for a push of so many bytes.
  ///
  /// - Throws: `ProtocolError` with `unavailable` when too much waits already.
  package mutating func reserve(_ bytes: Int) throws(ProtocolError) {
    guard waitingCount < limits.waitingPushes,
      waitingCount == 0 || waitingBytes + bytes <= limits.waitingBytes
    else { throw ProtocolError(.unavailable, "Too many pushes are waiting. Try again later.") }
    waitingCount += 1
    waitingBytes += bytes
  }

  /// Gives back what was reserved.
  package mutating func release(_ bytes: Int) {
    waitingCount -= 1
    waitingBytes -= bytes
  }

  /// Takes a maintenance, which is done between the pushes of its group.
  package mutating func admit(_ work: any GroupWork) -> Int {
    lastID += 1
    var group = groups.removeValue(forKey: work.group) ?? Group()
    group.maintenance.append((lastID, work))
    put(group, work.group)
    return lastID
  }

  /// Ends every maintenance after the step that it is in: what is left is done another time.
  package mutating func close() { isClosing = true }

  /// A group's rest is over.
  package mutating func wake(_ group: String) { release(group) }

  /// Puts a group back that was taken out to be changed: to change it in the dictionary takes memory each time. It is ready if there is
  /// something to do for it and it is not busy, and it is forgotten if there is nothing.
  private mutating func put(_ group: Group, _ name: String) {
    var group = group
    if !group.isBusy {
      if group.isEmpty { return }
      // Busy from now on, in the sense that it is not listed twice.
      group.isBusy = true
      ready.append(name)
    }
    groups[name] = group
  }

  // MARK: Turns

  /// The next turn; `nil` when nothing can be done.
  ///
  /// - Parameter fresh: a name for an epoch or a claim, in case one is needed.
  package mutating func next(_ fresh: () -> UUID) -> Turn? {
    var parts: [Turn.Part] = []
    var (documents, bytes) = (0, 0)
    while let name = ready.first, documents < Self.documentsPerTurn, bytes < Self.bytesPerTurn {
      guard let part = part(name, fresh, &documents, &bytes, isFirst: parts.isEmpty) else { break }
      ready.removeFirst()
      parts.append(part)
    }
    if parts.isEmpty { return nil }
    return Turn(parts: parts, epoch: epoch, fresh: fresh, identity: identity, limits: limits)
  }

  /// What a group does in the turn; `nil` when it does not fit any more.
  private mutating func part(
    _ name: String, _ fresh: () -> UUID, _ documents: inout Int, _ bytes: inout Int, isFirst: Bool
  ) -> Turn.Part? {
    guard var group = groups.removeValue(forKey: name) else { return nil }
    defer { groups[name] = group }
    var claims = Set([group.claim].compactMap(\.self))
    if let foreign = group.foreign, foreign.count > Self.patienceWithClaims { claims.insert(foreign.claim) }
    if group.losses >= Self.lossesBeforeClaim && group.claim == nil {
      let claim = fresh()
      group.claim = claim
      return Turn.Part(work: ClaimWork(group: name, claim: claim), ids: [], claims: claims)
    }
    if let (id, work) = group.maintenance.first, group.waiting.isEmpty || !group.hasMaintained {
      group.hasMaintained = true
      return Turn.Part(work: work, ids: [id], claims: claims)
    }
    group.hasMaintained = false
    var pushes: [Waiting] = []
    while let first = group.waiting.first, pushes.count < group.most {
      let fits =
        documents + first.push.edits.count <= Self.documentsPerTurn
        && bytes + first.bytes <= Self.bytesPerTurn
      guard fits || (isFirst && pushes.isEmpty) else { break }
      documents += first.push.edits.count
      bytes += first.bytes
      pushes.append(group.waiting.removeFirst())
    }
    if pushes.isEmpty { return nil }
    for push in pushes { taken[push.id] = push }
    return Turn.Part(
      work: GroupTurn(
        group: name, pushes: pushes.map(\.push), refusals: pushes.map(\.refusals), identity: identity),
      ids: pushes.map(\.id), claims: claims)
  }

  /// Takes note of what became of a turn.
  package mutating func end(_ turn: Turn) -> Ended {
    var ended = Ended()
    ended.hasLostCommits = epoch != nil && turn.epochAfterwards == nil
    epoch = turn.epochAfterwards
    for part in turn.parts {
      switch part.outcome {
      case .done: finish(part, &ended)
      case .open: lose(part, &ended)  // not gone through to the end
      case .void: lose(part, &ended)
      case .held(let claim): wait(part, for: claim, &ended)
      case .corrupt(let failures):
        for (index, error) in failures { settle(part.ids[index], .failure(error), &ended) }
        putBack(part)
        release(part.work.group)
      case .failed(let error): fail(part, error, &ended)
      }
    }
    return ended
  }

  /// Takes note of a turn that ended with an error: what was not committed, or is not known to be, is answered with it.
  ///
  /// - Parameter isInDoubt: the commit may have happened.
  package mutating func end(_ turn: Turn, _ error: any Error, isInDoubt: Bool) -> Ended {
    var ended = Ended()
    if isInDoubt {
      ended.written = turn.groupsInDoubt
      epoch = nil  // its count is not known either
    }
    for part in turn.parts { fail(part, error, &ended) }
    return ended
  }

  private mutating func finish(_ part: Turn.Part, _ ended: inout Ended) {
    let name = part.work.group
    let isClaim = part.ids.isEmpty
    for (id, judgement) in zip(part.ids, part.work.judgements) {
      switch judgement {
      case .answer(let answer): settle(id, .answer(answer), &ended)
      case .refused(let error): settle(id, .failure(error), &ended)
      case .failed(let error): settle(id, .failure(error), &ended)
      }
    }
    if part.work.changesDocuments { ended.written.append(name) }
    guard var group = groups.removeValue(forKey: name) else { return }
    if let (id, _) = group.maintenance.first, part.ids == [id] {
      if let next = part.work.next, !isClosing {
        group.maintenance[0].work = next
      } else {
        group.maintenance.removeFirst()
        ended.results.append((id, .done))
      }
    }
    if !isClaim {
      group.losses = 0
      group.delays = 0
      group.claim = nil
      group.foreign = nil
      group.most = group.most > .max / 2 ? .max : group.most * 2
    }
    group.isBusy = false
    put(group, name)
  }

  /// Another authority was faster.
  private mutating func lose(_ part: Turn.Part, _ ended: inout Ended) {
    let name = part.work.group
    guard var group = groups[name] else { return }
    group.losses += 1
    if part.ids.isEmpty { group.claim = nil }  // the claim is not there
    if !part.work.judgements.isEmpty { group.most = max(1, part.ids.count / 2) }
    groups[name] = group
    delay(part, group.losses, &ended)
  }

  /// Puts a part off; after too many times its pushes are answered.
  private mutating func delay(_ part: Turn.Part, _ count: Int, _ ended: inout Ended) {
    let name = part.work.group
    putBack(part)
    groups[name]?.delays += 1
    if groups[name]?.delays ?? 0 > Self.delaysBeforeRefusal { refuse(name, &ended) }
    ended.resting.append((name, count))
  }

  /// Answers what waits for a group that cannot be had.
  private mutating func refuse(_ name: String, _ ended: inout Ended) {
    let error = ProtocolError(.unavailable, "Other servers write this group all the time. Try again later.")
    groups[name]?.delays = 0
    groups[name]?.losses = 0
    for (id, _) in groups[name]?.maintenance ?? [] { ended.results.append((id, .failure(error))) }
    groups[name]?.maintenance = []
    while let push = groups[name]?.waiting.popFirst() { answer(push, .failure(error), &ended) }
  }

  /// Another authority has claimed the group.
  private mutating func wait(_ part: Turn.Part, for claim: UUID, _ ended: inout Ended) {
    let name = part.work.group
    guard var group = groups[name] else { return }
    let count = group.foreign.map { $0.claim == claim ? $0.count + 1 : 1 } ?? 1
    group.foreign = (claim, count)
    if part.ids.isEmpty { group.claim = nil }
    groups[name] = group
    delay(part, count, &ended)
  }

  private mutating func fail(_ part: Turn.Part, _ error: any Error, _ ended: inout Ended) {
    let name = part.work.group
    if let (id, _) = groups[name]?.maintenance.first, part.ids == [id] {
      groups[name]?.maintenance.removeFirst()
      ended.results.append((id, .failure(error)))
    } else {
      for id in part.ids { settle(id, .failure(error), &ended) }
    }
    if part.ids.isEmpty { groups[name]?.claim = nil }
    release(name)
  }

  private mutating func settle(_ id: Int, _ result: Result, _ ended: inout Ended) {
    if let push = taken.removeValue(forKey: id) { answer(push, result, &ended) }
  }

  private mutating func answer(_ push: Waiting, _ result: Result, _ ended: inout Ended) {
    release(push.bytes)
    ended.results.append((push.id, result))
  }

  /// Those of its pushes that have no answer yet wait again.
  private mutating func putBack(_ part: Turn.Part) {
    let pushes = part.ids.compactMap { taken.removeValue(forKey: $0) }
    groups[part.work.group]?.waiting.prepend(contentsOf: pushes)
  }

  private mutating func release(_ name: String) {
    guard var group = groups.removeValue(forKey: name) else { return }
    group.isBusy = false
    put(group, name)
  }
}

extension PushRequest {
  /// About how much memory it takes.
  var byteCount: Int { edits.reduce(256) { $0 + $1.content.byteCount + $1.id.utf8.count + 64 } }
}
