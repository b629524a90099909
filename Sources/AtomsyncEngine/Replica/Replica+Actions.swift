internal import AtomsyncCore
internal import Foundation
internal import Logging

extension Replica {
  /// Starts what an action asks for. Under the lock.
  func perform(_ action: ReplicaEffects.Action, _ state: inout State) {
    switch action {
    case .pull(let request, let message):
      run(request, &state) { [sealing] transport, progress in
        .pulled(request: request, try sealing.open(try await transport.pull(message, progress: progress)))
      } failed: {
        .pullFailed(request: request, $0)
      }
    case .push(let request, let message):
      run(request, &state) { [sealing] transport, progress in
        let push = try sealing.seal(message)
        return .pushed(
          request: request, try push.open(try await transport.push(push.request, progress: progress)))
      } failed: {
        .pushFailed(request: request, $0, freshClient: UUID())
      }
    case .abandon(let request): state.tasks.abandon(request: request)
    case .openLive(let stream, let message): openLive(stream, message, &state)
    case .closeLive(let stream): state.tasks.closeLive(stream)
    case .readOn(let stream): state.tasks.readOn(stream)
    case .startTimer(let timer, let wait): start(timer, wait, &state)
    case .cancelTimer(let kind): state.tasks.setTimer(kind, nil)
    case .merge(let task): merge(task, &state)
    case .passEnded(let error):
      for pass in state.passes { pass.complete(error.map { .failure($0) } ?? .success(())) }
      state.passes = []
    case .firstAttemptEnded:
      if case .stopped(let reason) = state.machine.session.link {
        firstAttempt.complete(.failure(SyncError.stopped(reason)))
      } else {
        firstAttempt.complete(.success(()))
      }
    }
  }

  private func start(_ timer: ReplicaTimer, _ wait: ReplicaWait, _ state: inout State) {
    let clock = configuration.clock
    let delay = configuration.retry.duration(of: wait, random: .random(in: 0..<1))
    if timer.kind == .retry { state.nextRetry = configuration.now().addingTimeInterval(delay / .seconds(1)) }
    state.tasks.setTimer(
      timer.kind,
      Task { [weak self] in
        do { try await clock.sleep(for: delay) } catch { return }
        self?.handle(.timer(timer))
      })
  }

  private func run(
    _ request: Int, _ state: inout State,
    _ body: @escaping @Sendable (any Transport, @escaping @Sendable () -> Void) async throws -> ReplicaEvent,
    failed: @escaping @Sendable (TransportError) -> ReplicaEvent
  ) {
    guard let transport else { return }
    let task = Task { [weak self] in
      let event: ReplicaEvent
      do {
        event = try await body(transport) { [weak self] in self?.handle(.progressed(request: request)) }
      } catch {
        event = failed(Self.transportError(error))
      }
      self?.handle(event) { $0.tasks.remove(request: request) }
    }
    state.tasks.add(task, request: request)
  }

  private func openLive(_ stream: Int, _ message: PullRequest, _ state: inout State) {
    guard let transport else { return }
    let gate = LiveGate()
    let task = Task { [weak self, sealing] in
      do {
        try await transport.live(LiveRequest(groups: [message])) { [weak self] event in
          switch event {
          case .opened: self?.handle(.liveOpened(stream: stream))
          case .revoked: self?.handle(.liveRevoked(stream: stream))
          case .page(let page):
            self?.handle(.livePage(stream: stream, try sealing.open(page)))
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
    let snapshot = state.machine.visible
    Task { [weak self] in
      let result: MergeResult
      do {
        let input = try task.input.opened()
        let value =
          switch policy.kind {
          case .merge(let merge): try merge(input)
          case .rebase(let merge):
            if let swaps { try swaps.rerun(input, on: snapshot) } else { try merge(input) }
          case .serverWins: input.remote
          case .localWins: input.local
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
