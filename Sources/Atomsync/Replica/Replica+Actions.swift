internal import AtomsyncCore
internal import Foundation
internal import Logging

extension Replica {
  /// Starts what an action asks for. Under the lock.
  func perform(_ action: ReplicaEffects.Action, _ state: inout State) {
    switch action {
    case .pull(let request, let message): pull(request, message, &state)
    case .push(let request, let message): push(request, message, &state)
    case .openLive(let stream, let message): openLive(stream, message, &state)
    case .closeLive(let stream): state.tasks.closeLive(stream)
    case .readOn(let stream): state.tasks.readOn(stream)
    case .backOff(let timer, let attempt, let retryAfter):
      let delay = configuration.retry.delay(
        attempt: attempt, random: .random(in: 0..<1), retryAfter: retryAfter)
      state.nextRetry = configuration.time.now() + delay.milliseconds
      start(timer, after: delay, &state)
    case .poll(let timer): start(timer, after: configuration.retry.pollInterval, &state)
    case .merge(let task): merge(task, &state)
    case .passEnded(let error):
      for pass in state.passes { pass.complete(error.map { .failure($0) } ?? .success(())) }
      state.passes = []
    case .firstAttemptEnded:
      if case .stopped(let reason) = state.machine.link {
        firstAttempt.complete(.failure(SyncError.stopped(reason)))
      } else {
        firstAttempt.complete(.success(()))
      }
    }
  }

  private func start(_ timer: Int, after delay: Duration, _ state: inout State) {
    let time = configuration.time
    state.tasks.setTimer(
      Task { [weak self] in
        do { try await time.sleep(delay) } catch { return }
        self?.handle(.timer(timer))
      })
  }

  private func pull(_ request: Int, _ message: PullRequest, _ state: inout State) {
    run(&state) { transport in
      .pulled(request: request, try RemotePage(try await transport.pull(message)))
    } failed: {
      .pullFailed(request: request, $0)
    }
  }

  private func push(_ request: Int, _ message: PushRequest, _ state: inout State) {
    run(&state) { transport in
      .pushed(request: request, try await transport.push(message))
    } failed: {
      .pushFailed(request: request, $0, freshClient: UUID())
    }
  }

  /// Runs a request with a deadline: a transport that never returns cannot hold up the replica.
  private func run(
    _ state: inout State, _ body: @escaping @Sendable (any Transport) async throws -> ReplicaEvent,
    failed: @escaping @Sendable (TransportError) -> ReplicaEvent
  ) {
    guard let transport else { return }
    let (time, limit) = (configuration.time, configuration.retry.requestTimeout)
    let request = Task { [weak self] in
      do {
        let event = try await body(transport)
        self?.handle(event)
      } catch {
        self?.handle(failed(Self.transportError(error)))
      }
    }
    let deadline = Task { [weak self] in
      do { try await time.sleep(limit) } catch { return }
      // Void when the request has ended: the machine knows requests by number.
      self?.handle(failed(TransportError(.timedOut, "The server did not answer within \(limit).")))
      request.cancel()
    }
    state.tasks.setRequest(request, deadline: deadline)
  }

  private func openLive(_ stream: Int, _ message: PullRequest, _ state: inout State) {
    guard let transport else { return }
    let gate = LiveGate()
    let task = Task { [weak self] in
      do {
        try await transport.live(LiveRequest(groups: [message])) { [weak self] event in
          switch event {
          case .opened: self?.handle(.liveOpened(stream: stream))
          case .revoked: self?.handle(.liveRevoked(stream: stream))
          case .page(let page):
            self?.handle(.livePage(stream: stream, try RemotePage(page)))
            try await gate.pass()
          }
        }
        self?.handle(.liveEnded(stream: stream, nil))
      } catch {
        self?.handle(.liveEnded(stream: stream, Self.transportError(error)))
      }
    }
    state.tasks.setLive(stream, task, gate)
  }

  private func merge(_ task: MergeTask, _ state: inout State) {
    let policy = policy
    let swaps = state.swaps.swaps(of: task)
    let snapshot = state.machine.documents.shown
    Task { [weak self] in
      let result: MergeResult
      do {
        let value =
          switch policy.kind {
          case .merge(let merge): try merge(task.input)
          case .rebase(let merge):
            if let swaps { try swaps.rerun(task.input, on: snapshot) } else { try merge(task.input) }
          case .serverWins: task.input.remote
          case .localWins: task.input.local
          }
        result = .value(try value.map { try StoredValue($0) })
      } catch {
        result = .failed("\(error)")
      }
      self?.handle(.merged(task, result))
    }
  }

  private static func transportError(_ error: any Error) -> TransportError {
    switch error {
    case let error as TransportError: error
    case is CancellationError: TransportError(.unreachable, "The request was given up.")
    default: TransportError(.malformedAnswer, "The server's answer cannot be read.", cause: "\(error)")
    }
  }
}
