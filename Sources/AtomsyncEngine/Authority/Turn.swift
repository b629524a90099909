package import AtomsyncCore
internal import Foundation

/// What an authority does at once: the works of some groups, which share a read and a commit and know nothing of each
/// other.
///
/// In order: read ``query``, ``judge(_:now:)``; as long as there is one read ``contentQuery``, ``finish(_:)``; if there are
/// any commit ``batches``, ``committed(_:)``; then ``PushScheduler/end(_:)``.
package struct Turn: Sendable {
  /// What became of a part.
  enum Outcome {
    case open
    /// The batch is committed, or there was nothing to commit.
    case done
    /// Another authority wrote the group meanwhile.
    case void
    /// Another authority has claimed the group.
    case held(UUID)
    /// Some of its pushes, by their index, cannot be judged.
    case corrupt([Int: StorageError])
    case failed(any Error)
  }

  struct Part {
    var work: any GroupWork
    /// The numbers of its pushes, or of the maintenance that it is.
    var ids: [Int]
    /// Claims that do not hold this part up: its own, or one that has been waited for long enough.
    var claims: Set<UUID>
    var outcome = Outcome.open
  }

  var parts: [Part]
  /// The authority's epoch, as the turn finds it.
  private var epoch: StoreEpoch
  /// The turn begins it.
  private let isOpening: Bool
  /// The authority's epoch after the turn; `nil`: it has to begin another.
  private(set) var epochAfterwards: StoreEpoch?
  private let identity: UUID
  private let limits: Limits

  /// - Parameters:
  ///   - epoch: the authority's; `nil`: it begins one in this turn.
  ///   - fresh: the name of that.
  init(parts: [Part], epoch: StoreEpoch?, fresh: () -> UUID, identity: UUID, limits: Limits) {
    self.parts = parts
    self.epoch = epoch ?? StoreEpoch(id: fresh(), began: 0)
    isOpening = epoch == nil
    epochAfterwards = epoch
    self.identity = identity
    self.limits = limits
  }

  // MARK: Judging

  package var query: StorageQuery {
    var query = StorageQuery()
    for part in parts {
      let own = part.work.query
      query.keys += own.keys
      query.scans += own.scans
    }
    return query
  }

  package mutating func judge(_ snapshot: StorageSnapshot, now: Int64) {
    if isOpening { epoch.began = now }
    let context = TurnContext(identity: identity, epoch: epoch.id, now: now, limits: limits)
    var (values, scans) = (snapshot.values[...], snapshot.scans[...])
    for index in parts.indices {
      let query = parts[index].work.query
      let own = StorageSnapshot(
        values: Array(values.prefix(query.keys.count)), scans: Array(scans.prefix(query.scans.count)))
      values = values.dropFirst(query.keys.count)
      scans = scans.dropFirst(query.scans.count)
      do {
        try parts[index].work.judge(own, context)
        if let claim = parts[index].work.readHead.claim, !parts[index].claims.contains(claim) {
          parts[index].outcome = .held(claim)
        }
      } catch { parts[index].outcome = .failed(error) }
    }
  }

  // MARK: The values of stale documents

  package var contentQuery: StorageQuery? {
    let keys = openParts.flatMap { parts[$0].work.contentQuery?.keys ?? [] }
    return keys.isEmpty ? nil : StorageQuery(keys: keys)
  }

  package mutating func finish(_ snapshot: StorageSnapshot) {
    var values = snapshot.values[...]
    for index in openParts {
      guard let query = parts[index].work.contentQuery else { continue }
      let own = Array(values.prefix(query.keys.count))
      values = values.dropFirst(query.keys.count)
      do {
        switch try parts[index].work.finish(own) {
        case .goesOn: break
        case .void: parts[index].outcome = .void
        case .corrupt(let failures): parts[index].outcome = .corrupt(failures)
        }
      } catch { parts[index].outcome = .failed(error) }
    }
  }

  // MARK: Committing

  /// Empty: nothing is to be committed, and ``committed(_:)`` is called with nothing.
  package var batches: [StorageBatch] {
    var batches = openParts.flatMap { index in
      let work = parts[index].work
      return work.batches.map { batch in
        var batch = batch
        batch.topics = work.changesDocuments ? [work.group] : []
        return batch
      }
    }
    if batches.isEmpty { return [] }
    let key = AuthorityKey.epoch(epoch.id)
    let counted = counted.bytes
    for index in batches.indices { batches[index].preconditions.append(.equals(key, counted)) }
    let known: StoragePrecondition = isOpening ? .absent(key) : .equals(key, epoch.bytes)
    return [StorageBatch(preconditions: [known], writes: [.put(key, counted)], topics: [])] + batches
  }

  /// The epoch with one commit more.
  private var counted: StoreEpoch {
    var counted = epoch
    counted.commits += 1
    return counted
  }

  package mutating func committed(_ outcomes: [StorageOutcome]) {
    var outcomes = outcomes[...]
    if !outcomes.isEmpty { epochAfterwards = outcomes.removeFirst() == .committed ? counted : nil }
    for index in openParts {
      let own = outcomes.prefix(parts[index].work.batches.count)
      outcomes = outcomes.dropFirst(own.count)
      let isCommitted = own.count == parts[index].work.batches.count && own.allSatisfy { $0 == .committed }
      parts[index].outcome = isCommitted ? .done : .void
    }
  }

  /// What its pushes came to, by their numbers, if the turn is committed.
  package var answers: [(id: Int, answer: PushAnswer)] {
    openParts.flatMap { index in
      zip(parts[index].ids, parts[index].work.judgements).compactMap { id, judgement in
        if case .answer(let answer) = judgement { (id, answer) } else { nil }
      }
    }
  }

  /// The groups whose documents the turn may have changed, if nobody knows what became of its commit.
  package var groupsInDoubt: [String] {
    openParts.filter { parts[$0].work.changesDocuments }.map { parts[$0].work.group }
  }

  private var openParts: [Int] {
    parts.indices.filter { if case .open = parts[$0].outcome { true } else { false } }
  }
}
