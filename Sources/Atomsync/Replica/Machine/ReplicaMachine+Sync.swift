internal import AtomsyncCore
internal import HashTreeCollections

extension ReplicaMachine {
  /// Begins whatever is to be done next, if nothing is being done.
  mutating func advance(_ now: Int64) {
    guard link == .connected else { return }
    while activity == .idle {
      if inFlight != nil {
        send()
      } else if needsPull {
        pull()
      } else if let (stream, page) = held {
        held = nil
        apply(page, now)
        if !page.hasMore { lastPull = now }
        activity = .saving(ticket: currentTicket, stream: stream)
      } else if pushRefusal != nil || !freeze() {
        rest()
        return
      }
    }
  }

  private mutating func pull() {
    needsPull = false
    stopFollowing()  // or a page of the stream could take the cursor back
    let request = nextNumber()
    activity = .pulling(request: request)
    effects.actions.append(
      .pull(request: request, PullRequest(group: settings.group, cursor: record.cursor)))
  }

  /// Everything that can be done is done: follow the group.
  private mutating func rest() {
    if merging.isEmpty { endPass(nil) }
    guard follow == .nothing else { return }
    let number = nextNumber()
    if isLiveUnsupported {
      follow = .polling(timer: number)
      effects.actions.append(.poll(timer: number))
    } else {
      follow = .live(stream: number, isOpen: false)
      effects.actions.append(
        .openLive(stream: number, PullRequest(group: settings.group, cursor: record.cursor)))
    }
  }

  private mutating func stopFollowing() {
    if case .live(let stream, _) = follow { effects.actions.append(.closeLive(stream: stream)) }
    follow = .nothing
    held = nil
  }

  // MARK: What the application asks for

  mutating func connect() {
    switch link {
    case .offline:
      liveFailures = 0
      begin()
    case .waiting: begin()
    case .connected: pushRefusal = nil
    case .stopped: break
    }
  }

  private mutating func begin() {
    link = .connected
    needsPull = true
    pushRefusal = nil
    isLiveUnsupported = false
  }

  mutating func disconnect() {
    guard case .stopped = link else {
      leave(.offline)
      endPass(.paused)
      endFirstAttempt()  // there will be none
      return
    }
  }

  mutating func stop(_ reason: StopReason) {
    if link == .stopped(.closed) { return }
    leave(.stopped(reason))
    endPass(.stopped(reason))
    endFirstAttempt()
  }

  mutating func requestPass() {
    switch link {
    case .stopped(let reason): effects.actions.append(.passEnded(.stopped(reason)))
    case .offline: effects.actions.append(.passEnded(.paused))
    case .waiting:
      wantsPass = true
      begin()
    case .connected:
      wantsPass = true
      needsPull = true
      pushRefusal = nil
    }
  }

  private mutating func leave(_ next: Link) {
    stopFollowing()
    link = next
    arrived = nil
    switch activity {
    case .pulling, .pushing: activity = .idle  // an answer to come is void: its request number is past
    case .idle, .saving, .freezing: break
    }
  }

  // MARK: What the store says

  mutating func saved(_ ticket: Int64, _ now: Int64) {
    savedTicket = max(savedTicket, ticket)
    switch activity {
    case .saving(let awaited, let stream) where awaited <= savedTicket:
      activity = .idle
      if let page = arrived {
        arrived = nil
        take(page, now)
      } else if let stream, case .live(stream, _) = follow {
        effects.actions.append(.readOn(stream: stream))
      }
    case .freezing(let awaited) where awaited <= savedTicket:
      activity = .idle  // and `advance` sends it
    default: break
    }
  }

  // MARK: What the server says

  mutating func pulled(_ request: Int, _ page: RemotePage, _ now: Int64) {
    guard activity == .pulling(request: request) else { return }
    activity = .idle
    guard isOurs(page) else { return }
    lastError = nil
    if pageTicket > savedTicket {
      arrived = page
      activity = .saving(ticket: pageTicket, stream: nil)
    } else {
      take(page, now)
    }
  }

  private mutating func take(_ page: RemotePage, _ now: Int64) {
    apply(page, now)
    pageTicket = currentTicket
    if page.hasMore {
      needsPull = true
    } else {
      activity = .saving(ticket: currentTicket, stream: nil)
      lastPull = now
      endFirstAttempt()
    }
  }

  mutating func pullFailed(_ request: Int, _ error: TransportError) {
    guard activity == .pulling(request: request) else { return }
    activity = .idle
    needsPull = true
    if error.code == .forbidden { revoke() }
    fail(.init(error))
  }

  mutating func liveOpened(_ stream: Int, _ now: Int64) {
    guard case .live(stream, _) = follow else { return }
    liveSince = now
    follow = .live(stream: stream, isOpen: true)
  }

  mutating func livePage(_ stream: Int, _ page: RemotePage, _ now: Int64) {
    guard case .live(stream, _) = follow, isOurs(page) else { return }
    succeed()
    if page.isReset {
      // A reset is taken by pulls only, when no push is under way: its pages are the truth whatever their versions.
      needsPull = true
      stopFollowing()
    } else {
      held = (stream, page)  // `advance` takes it, now or when a push is settled
    }
  }

  mutating func liveRevoked(_ stream: Int) {
    guard case .live(stream, _) = follow else { return }
    if activity == .idle { revoke() }
    fail(.init(TransportError(.forbidden, "The permission to read the group was withdrawn.")))
  }

  /// The server is there and serves us: the next failure is a first one.
  private mutating func succeed() {
    attempt = 0
    liveFailures = 0
  }

  mutating func liveEnded(_ stream: Int, _ error: TransportError?, _ now: Int64) {
    guard case .live(stream, let isOpen) = follow else { return }
    if isOpen, error?.code != .timedOut, let liveSince, now - liveSince >= Self.steadyLife {
      succeed()
    } else {
      liveFailures += 1
    }
    if error?.code == .unsupported || liveFailures >= Self.failuresBeforePolling {
      isLiveUnsupported = true
      stopFollowing()
      needsPull = true
      return
    }
    if error?.code == .forbidden && activity == .idle { revoke() }
    fail(.init(error ?? TransportError(.unreachable, "The server ended the live stream.")))
  }

  private mutating func isOurs(_ page: RemotePage) -> Bool {
    guard let expected = record.user, let actual = page.user, actual != expected else { return true }
    stop(.wrongUser(expected: expected, actual: actual))
    return false
  }

  // MARK: Time and failure

  mutating func fired(_ timer: Int) {
    if link == .waiting(timer: timer) {
      begin()
    } else if refusalTimer == timer {
      refusalTimer = nil
      pushRefusal = nil
    } else if follow == .polling(timer: timer) {
      follow = .nothing
      needsPull = true
      pushRefusal = nil
      attempt = 0
      polls += 1
      if polls % Self.pollsBeforeLive == 0 {  // perhaps there is a live stream by now
        isLiveUnsupported = false
        liveFailures = 0
      }
    }
  }

  private static var pollsBeforeLive: Int { 60 }
  /// A live stream that was open for so long, in milliseconds, was a success whatever ended it.
  private static var steadyLife: Int64 { 5000 }
  /// A stream that comes to nothing so often in a row (it is refused, silent, or cut at once, as proxies do) is given up
  /// for a while.
  private static var failuresBeforePolling: Int { 4 }

  /// Lets go of the server for a while.
  mutating func fail(_ error: SyncError) {
    guard link == .connected else { return }
    lastError = error
    if error.transport?.code == .wrongUser {
      stop(.wrongUser(expected: record.user ?? "", actual: ""))
      return
    }
    let timer = nextNumber()
    attempt += 1
    leave(.waiting(timer: timer))
    effects.actions.append(
      .backOff(timer: timer, attempt: attempt, retryAfter: error.transport?.retryAfter))
    endPass(error)
    endFirstAttempt()
  }

  mutating func endPass(_ error: SyncError?) {
    guard wantsPass else { return }
    wantsPass = false
    effects.actions.append(.passEnded(error))
  }

  private mutating func endFirstAttempt() {
    guard !hasAttempted else { return }
    hasAttempted = true
    effects.actions.append(.firstAttemptEnded)
  }
}
