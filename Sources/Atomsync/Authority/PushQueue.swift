internal import AtomsyncCore
internal import Foundation

/// Takes pushes as they come and judges all that wait in one turn, one turn at a time.
final class PushQueue: Sendable {
  private struct Waiting {
    var push: PushRequest
    var answer: CheckedContinuation<PushAnswer, any Error>
  }
  private struct State {
    var waiting: [Waiting] = []
    var isRunning = false
    var isClosed = false
    var closers: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Lock(State())
  private let storage: any Storage
  private let identity: UUID
  private let hub: Hub
  private let configuration: AtomsyncConfiguration
  /// The most documents that are judged in one turn, to bound its memory and its latency.
  private static let documentsPerTurn = 4000

  init(_ storage: any Storage, _ identity: UUID, _ hub: Hub, _ configuration: AtomsyncConfiguration) {
    self.storage = storage
    self.identity = identity
    self.hub = hub
    self.configuration = configuration
  }

  func push(_ push: PushRequest) async throws -> PushAnswer {
    try await withCheckedThrowingContinuation { continuation in
      enum Decision {
        case start, wait
        case refuse(any Error)
      }
      let decision: Decision = state.withLock { state in
        if state.isClosed { return .refuse(StorageError.closed) }
        if state.waiting.count >= configuration.limits.waitingPushes {
          return .refuse(ErrorBody(.unavailable, "Too many pushes are waiting. Try again later."))
        }
        state.waiting.append(Waiting(push: push, answer: continuation))
        if state.isRunning { return .wait }
        state.isRunning = true
        return .start
      }
      switch decision {
      case .start: Task { await run() }
      case .wait: break
      case .refuse(let error): continuation.resume(throwing: error)
      }
    }
  }

  /// Returns once every push that was taken has been answered.
  func close() async {
    await withCheckedContinuation { continuation in
      let isIdle = state.withLock { state in
        state.isClosed = true
        if state.isRunning { state.closers.append(continuation) }
        return !state.isRunning
      }
      if isIdle { continuation.resume() }
    }
  }

  private func run() async {
    while let turn = next() {
      var open = turn
      do { try await judge(&open) } catch { for push in open { push.answer.resume(throwing: error) } }
    }
  }

  private func next() -> [Waiting]? {
    let (turn, closers) = state.withLock { state -> ([Waiting]?, [CheckedContinuation<Void, Never>]) in
      var documents = 0
      let end = state.waiting.firstIndex { waiting in
        documents += waiting.push.edits.count
        return documents > Self.documentsPerTurn
      }
      guard !state.waiting.isEmpty else {
        state.isRunning = false
        defer { state.closers = [] }
        return (nil, state.closers)
      }
      let count = max(1, end ?? state.waiting.count)
      defer { state.waiting.removeFirst(count) }
      return (Array(state.waiting.prefix(count)), [])
    }
    for closer in closers { closer.resume() }
    return turn
  }

  /// Answers every push of the turn. When it throws, `open` holds those that were not answered.
  private func judge(_ open: inout [Waiting]) async throws {
    while !open.isEmpty {
      var pushTurn = PushTurn(
        open.map(\.push), identity: identity, now: configuration.time.now(), limits: configuration.limits)
      let judged = try pushTurn.judge(try await storage.read(pushTurn.query))
      guard
        let judgements = try pushTurn.finish(
          judged, try await storage.read(pushTurn.staleQuery(for: judged)))
      else { continue }
      open = try await commit(judgements, of: open)
    }
  }

  /// Commits and answers; returns the pushes that another process got in the way of, to be judged again.
  private func commit(_ judgements: [PushTurn.Judgement], of turn: [Waiting]) async throws -> [Waiting] {
    let batches = judgements.compactMap { batch(of: $0) }
    let committed = batches.isEmpty ? [] : try await storage.commit(batches)
    // What was judged on top of a batch that was refused is void with it, also where nothing was to be written.
    let isVoid = committed.count < batches.count || committed.contains { $0 != .committed }
    var outcomes = committed.makeIterator()
    var again: [Waiting] = []
    var written: Set<String> = []
    for (judgement, waiting) in zip(judgements, turn) {
      switch judgement {
      case _ where isVoid && batch(of: judgement) == nil: again.append(waiting)
      case .refused(let error): waiting.answer.resume(throwing: error)
      case .replay(let answer): waiting.answer.resume(returning: answer)
      case .answer(let answer, let batch):
        if !batch.writes.isEmpty, outcomes.next() != .committed {
          again.append(waiting)
          continue
        }
        if !answer.accepted.isEmpty { written.insert(answer.group) }
        waiting.answer.resume(returning: answer)
      }
    }
    hub.ring(written)
    return again
  }

  private func batch(of judgement: PushTurn.Judgement) -> StorageBatch? {
    if case .answer(_, let batch) = judgement, !batch.writes.isEmpty { batch } else { nil }
  }
}
