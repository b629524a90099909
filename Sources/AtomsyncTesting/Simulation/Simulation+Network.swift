internal import Atomsync
internal import AtomsyncCore

extension Simulation {
  /// Puts a request on the way, or loses it.
  mutating func send(_ arrival: Event, isRead: Bool = true, failing: (TransportError) -> Event) {
    guard isHostile, random.oneIn(6) else {
      timeline.schedule(arrival, after: delay())
      return
    }
    // Refused at once, or silent until the deadline.
    let (error, wait) = trouble(isRead: isRead)
    timeline.schedule(failing(error), after: wait)
  }

  /// A push may also arrive twice, or arrive without its answer coming back.
  mutating func sendPush(_ number: Int, _ life: Int, _ request: Int, _ message: PushRequest) {
    let isAnswerLost = isHostile && random.oneIn(5)
    send(
      .pushArrives(number, life: life, request: request, message, isAnswered: !isAnswerLost), isRead: false
    ) { .pushEnds(number, life: life, request: request, .failure($0)) }
    if isHostile && random.oneIn(8) {
      timeline.schedule(
        .pushArrives(number, life: life, request: request, message, isAnswered: false), after: delay() * 3)
    }
  }

  private mutating func trouble(isRead: Bool) -> (TransportError, Int64) {
    switch Int.random(in: 0..<(isRead && isRevoking ? 6 : 5), using: &random) {
    case 0: (TransportError(.unreachable, "refused"), 1)
    case 1: (TransportError(.timedOut, "silence"), 60)
    case 2: (TransportError(.unavailable, "503", retryAfter: .seconds(1)), 2)
    case 3: (TransportError(.unauthorized, "401"), 2)
    case 4: (TransportError(.malformedAnswer, "garbage"), 2)
    default: (TransportError(.forbidden, "403"), 2)
    }
  }

  /// Something has reached the server.
  mutating func arrive(_ event: Event) throws {
    let now = timeline.now
    switch event {
    case .pullArrives(let number, let life, let request, let message):
      let page = try server.pull(message, now: now, stale: earlier)
      timeline.schedule(.pullEnds(number, life: life, request: request, .success(page)), after: delay())
    case .pushArrives(let number, let life, let request, let message, let isAnswered):
      try arrive(number, life, request, message, isAnswered)
    case .liveArrives(let number, let life, let stream, let message):
      guard life == self.life(of: number), replicas[number].wantedStream == stream else { return }
      replicas[number].stream = .init(number: stream, cursor: message.start.asCursor)
      try deliver(.liveOpened(stream: stream), to: number)
      try offer(number)
    case .liveReads(let number, let life, let stream):
      guard life == self.life(of: number), replicas[number].stream?.number == stream else { return }
      replicas[number].stream?.isBusy = false
      try offer(number)
    default: break
    }
  }

  private mutating func arrive(
    _ number: Int, _ life: Int, _ request: Int, _ message: PushRequest, _ isAnswered: Bool
  ) throws {
    let isRefused = isFickle ? random.oneIn(40) : (message.ticket?.number ?? 0) % 19 == 0
    if isHostile && isRefused {
      let refusal: TransportError =
        (message.ticket?.number ?? 0) % 2 == 0
        ? TransportError(.tooLarge, "413") : TransportError(.forbidden, "403")
      if message.edits.count > 1 || refusal.code == .forbidden {
        timeline.schedule(.pushEnds(number, life: life, request: request, .failure(refusal)), after: delay())
        return
      }
    }
    earlier = server.store
    let outcome = try server.push(message, now: timeline.now)
    switch outcome {
    case .answer(let answer) where isAnswered:
      timeline.schedule(.pushEnds(number, life: life, request: request, .success(answer)), after: delay())
    case .refused(let error) where isAnswered:
      timeline.schedule(
        .pushEnds(number, life: life, request: request, .failure(TransportError(error))), after: delay())
    case .answer, .refused:
      timeline.schedule(
        .pushEnds(number, life: life, request: request, .failure(TransportError(.timedOut, "cut"))), after: 60
      )
    }
    for number in replicas.indices { try offer(number) }
  }

  /// Sends the next page of a live stream, if there is one and the replica reads.
  mutating func offer(_ number: Int) throws {
    guard let stream = replicas[number].stream, !stream.isBusy, !stream.isDead else { return }
    let page = try server.pull(
      PullRequest(group: replicas[number].group, cursor: stream.cursor), now: timeline.now,
      stale: earlier)
    replicas[number].stream?.cursor = page.cursor
    guard !page.documents.isEmpty || page.isReset else { return }
    if faults.contains(.liveEventSkipped) && random.oneIn(4) { return }
    replicas[number].stream?.isBusy = true
    timeline.schedule(
      .livePage(number, life: life(of: number), stream: stream.number, page), after: delay())
  }

  /// Ends every stream, as a server does that goes away.
  mutating func cutStreams() {
    for number in replicas.indices { cutStream(number, TransportError(.unreachable, "cut")) }
  }

  mutating func cutStream(_ number: Int, _ error: TransportError?) {
    guard let stream = replicas[number].stream else { return }
    replicas[number].stream?.isDead = true
    timeline.schedule(
      .liveEnds(number, life: life(of: number), stream: stream.number, error), after: delay())
  }
}
