internal import AtomsyncCore

/// The conversation of a replica with its server: what is under way, what is waited for, and what comes next. It knows
/// nothing of documents: ``ReplicaMachine`` tells it what came of its steps.
struct SyncSession: Sendable {
  /// The server refuses pushes: it is asked again after a while, or with the next connect or `sync`.
  private struct Refusal {
    var error: SyncError
    var timer: Int
  }

  private(set) var link = Link.offline
  private(set) var activity = Activity.idle
  private(set) var lastError: SyncError?
  private var needsPull = false
  private var refusal: Refusal?
  private var wantsPass = false
  private var hasAttempted = false
  private var lastNumber = 0

  // Durability. A ticket names the rows of an event.
  private var savedTicket: Int64 = 0
  /// The rows of the last page that was applied.
  private var pageTicket: Int64 = 0

  // How often in a row something has gone wrong.
  private var attempt = 0
  private var refusals = 0
  private var liveFailures = 0
  private var resets = 0
  private var outdatedAnswers = 0
  private var failedPushes = 0

  private var polls = 0
  private var isLiveUnsupported = false
  private var sizes: MessageSizes

  private var actions: [ReplicaEffects.Action] = []

  /// A live stream that comes to nothing so often in a row (it is refused, silent, or cut at once, as proxies do) is
  /// given up for polling.
  private static let failuresBeforePolling = 4
  /// After so many polls the live stream is tried again.
  private static let pollsBeforeLive = 60
  /// A push that has failed so often in a row, for whatever reason, is taken apart, so that reading can go on.
  private static let failuresBeforeReading = 3
  /// So many resets in a row, and there are two servers behind one address, or one that cannot read its own cursors.
  private static let resetsBeforeBackoff = 3

  init(_ sizes: MessageSizes) { self.sizes = sizes }

  // MARK: What can be seen

  /// The most that the next push may hold.
  var pushLimits: (documents: Int, bytes: Int) { sizes.push }
  /// Why nothing gets on, if so.
  var error: SyncError? { lastError ?? refusal?.error }

  /// Why nothing can be written any more, if so.
  var end: StopReason? {
    switch link {
    case .stopped(.closed): .closed
    case .stopped(.storeLost): .storeLost
    case .offline, .waiting, .connected, .stopped(.wrongUser): nil
    }
  }

  var isConnected: Bool { if case .connected = link { true } else { false } }

  var hasHeldPage: Bool {
    if case .connected(.live(let stream)) = link { stream.held != nil } else { false }
  }

  /// The timers that run, by kind: what each state waits for, and nothing else.
  var timers: [ReplicaTimer.Kind: Int] {
    var timers: [ReplicaTimer.Kind: Int] = [:]
    switch link {
    case .offline, .stopped, .connected(.none): break
    case .waiting(let number): timers[.retry] = number
    case .connected(.polling(let number)): timers[.poll] = number
    case .connected(.live(let stream)):
      if !stream.isOpen { timers[.opening] = stream.number }
      if stream.isOpen && !stream.isSteady { timers[.steady] = stream.number }
      if let echo = stream.echo { timers[.echo] = echo }
    }
    switch activity {
    case .pulling(let exchange), .pushing(let exchange): timers[.deadline] = exchange.number
    case .idle, .saving, .freezing: break
    }
    if let refusal { timers[.refusal] = refusal.timer }
    return timers
  }

  /// What the driver is to do.
  mutating func takeActions() -> [ReplicaEffects.Action] {
    var taken: [ReplicaEffects.Action] = []
    swap(&taken, &actions)
    return taken
  }

  // MARK: What the application asks for

  mutating func connect() {
    switch link {
    case .offline:
      liveFailures = 0
      begin()
    case .waiting:
      actions.append(.cancelTimer(.retry))
      begin()
    case .connected: forgetRefusal()
    case .stopped: break
    }
  }

  private mutating func begin() {
    link = .connected(.none)
    needsPull = true
    forgetRefusal()
    isLiveUnsupported = false
  }

  mutating func disconnect() {
    if case .stopped = link { return }
    leave(.offline)
    endPass(.paused)
    endFirstAttempt()  // there will be none
  }

  mutating func stop(_ reason: StopReason) {
    if case .stopped(.closed) = link { return }
    leave(.stopped(reason))
    endPass(.stopped(reason))
    endFirstAttempt()
  }

  mutating func requestPass() {
    switch link {
    case .stopped(let reason): actions.append(.passEnded(.stopped(reason)))
    case .offline: actions.append(.passEnded(.paused))
    case .waiting:
      wantsPass = true
      connect()
    case .connected:
      wantsPass = true
      needsPull = true
      forgetRefusal()
    }
  }

  /// Everything is to be read anew.
  mutating func startOver(dropsPush: Bool) {
    switch activity {
    case .pulling(let exchange): abandon(exchange)  // its answer would not be the whole content
    case .pushing(let exchange) where dropsPush: abandon(exchange)
    case .freezing where dropsPush: activity = .idle
    case .saving(let ticket, .apply): activity = .saving(ticket: ticket, then: .nothing)
    case .idle, .saving, .freezing, .pushing: break
    }
    needsPull = true
  }

  // MARK: What comes next

  /// The next step, if nothing is under way; `nil` when there is none.
  ///
  /// - Parameter hasPushInFlight: a push was frozen whose verdicts are not known.
  func nextStep(hasPushInFlight: Bool) -> Step? {
    guard case .connected(let subscription) = link, case .idle = activity else { return nil }
    if hasPushInFlight { return .send }
    if needsPull { return .pull }
    if case .live(let stream) = subscription, let page = stream.held { return .apply(page, stream: stream) }
    return refusal == nil ? .freeze : nil
  }

  mutating func pull(_ group: String, from cursor: Cursor?, seen: Cursor?) {
    needsPull = false
    unsubscribe()  // or a page of the stream could take the cursor back
    let exchange = Exchange(number: nextNumber(), cursor: cursor, seen: seen)
    activity = .pulling(exchange)
    actions.append(.pull(request: exchange.number, request(group, cursor, seen)))
    setDeadline(exchange, sizes.pullPatience)
  }

  private func request(_ group: String, _ cursor: Cursor?, _ seen: Cursor?) -> PullRequest {
    PullRequest(group: group, cursor: cursor, seen: seen, limit: sizes.page)
  }

  mutating func send(_ push: OutgoingPush) {
    let exchange = Exchange(number: nextNumber())
    activity = .pushing(exchange)
    actions.append(.push(request: exchange.number, push))
    setDeadline(exchange, sizes.pushPatience)
  }

  private mutating func setDeadline(_ exchange: Exchange, _ doublings: Int) {
    actions.append(.startTimer(.init(.deadline, exchange.number), .deadline(doublings: doublings)))
  }

  /// A push was frozen, in rows with this ticket.
  mutating func froze(_ ticket: Int64) { activity = .freezing(ticket: ticket) }

  /// Everything that can be done is done: follow the group.
  mutating func rest(_ group: String, from cursor: Cursor?, seen: Cursor?, isMerging: Bool) {
    guard case .connected(let subscription) = link, case .idle = activity else { return }
    if !isMerging { endPass(nil) }
    guard case .none = subscription else { return }
    let number = nextNumber()
    if isLiveUnsupported {
      link = .connected(.polling(timer: number))
      actions.append(.startTimer(.init(.poll, number), .poll))
    } else {
      link = .connected(.live(Stream(number: number, seen: seen)))
      actions.append(.openLive(stream: number, request(group, cursor, seen)))
      actions.append(.startTimer(.init(.opening, number), .deadline(doublings: sizes.pullPatience)))
    }
  }

  // MARK: What the store says

  /// Takes note of what is durable. Returns the page that is to be applied now, if any.
  mutating func saved(_ ticket: Int64) -> (page: RemotePage, seen: Cursor?)? {
    savedTicket = max(savedTicket, ticket)
    switch activity {
    case .saving(let awaited, let next) where awaited <= savedTicket:
      activity = .idle
      switch next {
      case .nothing: break
      case .apply(let page, let seen): return (page, seen)
      case .readOn(let number):
        if case .connected(.live(let stream)) = link, stream.number == number {
          actions.append(.readOn(stream: number))
        }
      }
    case .freezing(let awaited) where awaited <= savedTicket: activity = .idle  // and the next step sends it
    case .idle, .saving, .freezing, .pulling, .pushing: break
    }
    return nil
  }

  // MARK: What the server says to pulls

  mutating func progressed(_ request: Int) {
    switch activity {
    case .pulling(var exchange) where exchange.number == request:
      exchange.hasProgressed = true
      activity = .pulling(exchange)
    case .pushing(var exchange) where exchange.number == request:
      exchange.hasProgressed = true
      activity = .pushing(exchange)
    case .idle, .pulling, .saving, .freezing, .pushing: break
    }
  }

  /// Ends a pull whose answer has come. `nil`: nobody waits for it any more.
  mutating func endPull(_ request: Int) -> Exchange? {
    guard case .pulling(let exchange) = activity, exchange.number == request else { return nil }
    activity = .idle
    actions.append(.cancelTimer(.deadline))
    return exchange
  }

  /// Whether a page can be applied now. If not, because the one before it is not durable yet, it is kept until then.
  mutating func canApply(_ page: RemotePage, _ exchange: Exchange) -> Bool {
    lastError = nil
    guard pageTicket > savedTicket else { return true }
    activity = .saving(ticket: pageTicket, then: .apply(page, seen: exchange.seen))
    return false
  }

  /// A page of a pull was applied, in rows with this ticket. Returns whether it was the last for now.
  mutating func applied(_ page: RemotePage, _ ticket: Int64) -> Bool {
    pageTicket = ticket
    sizes.pulled(page.items.count)
    if page.isReset { resets += 1 }
    if page.hasMore {
      needsPull = true
      if page.isReset && resets > Self.resetsBeforeBackoff { fail(Self.endlessResets) }
      return false
    }
    activity = .saving(ticket: ticket, then: .nothing)
    endFirstAttempt()
    return true
  }

  private static let endlessResets = SyncError(
    TransportError(
      .unavailable,
      "The server resets this replica again and again. Does one address lead to several stores?"))

  /// A page of the live stream was applied, in rows with this ticket.
  mutating func applied(_ page: RemotePage, _ ticket: Int64, of stream: Stream) {
    if case .connected(.live(var current)) = link, current.number == stream.number {
      current.held = nil
      link = .connected(.live(current))
    }
    pageTicket = ticket
    activity = .saving(ticket: ticket, then: .readOn(stream: stream.number))
  }

  /// The answer cannot be accepted.
  mutating func reject(_ error: TransportError) {
    needsPull = true
    fail(SyncError(error))
  }

  mutating func pullFailed(_ error: TransportError) {
    needsPull = true
    if error.code == .timedOut { sizes.pullTimedOut() }
    fail(SyncError(error))
  }

  // MARK: What the server says to pushes

  /// Ends a push whose answer has come. False: nobody waits for it any more.
  mutating func endPush(_ request: Int) -> Bool {
    guard case .pushing(let exchange) = activity, exchange.number == request else { return false }
    activity = .idle
    actions.append(.cancelTimer(.deadline))
    return true
  }

  /// Every document of a push has its verdict.
  mutating func settled(_ size: PushSize) {
    attempt = 0
    refusals = 0
    outdatedAnswers = 0
    failedPushes = 0
    sizes.pushed(size)
  }

  /// A push has failed, and nobody knows what became of it. Returns whether it is to be taken apart: then reading goes
  /// on, and pushing is tried again after a while.
  mutating func pushFailed(_ error: SyncError) -> Bool {
    failedPushes += 1
    if failedPushes < Self.failuresBeforeReading {
      fail(error)
      return false
    }
    failedPushes = 0
    needsPull = true
    refusePushes(error)
    return true
  }

  /// Some verdict cannot be explained by what is known here: a pull will, or time.
  mutating func unexplained() {
    reject(TransportError(.unavailable, "The server did not accept some documents. They are sent again."))
  }

  /// An answer or a page shows that the client or the store was put back to an earlier state: a pull tells what there is
  /// now. If that does not help, it is waited before the next.
  mutating func outdated(_ error: TransportError) {
    needsPull = true
    outdatedAnswers += 1
    if outdatedAnswers > 1 { fail(SyncError(error)) }
  }

  /// A push of this size is too large for the server, or for something on the way.
  mutating func shrink(below size: PushSize) { sizes.shrink(below: size) }

  /// A push was not answered in time. Returns whether it is to be taken apart.
  mutating func pushTimedOut(_ size: PushSize) -> Bool { sizes.pushTimedOut(size) }

  /// Reading goes on, and pushing is tried again after a while.
  mutating func refusePushes(_ error: SyncError) {
    refusals += 1
    let timer = nextNumber()
    refusal = Refusal(error: error, timer: timer)
    actions.append(
      .startTimer(
        .init(.refusal, timer), .backoff(attempt: refusals, retryAfter: error.transport?.retryAfter)))
    endPass(error)
  }

  private mutating func forgetRefusal() {
    if refusal != nil { actions.append(.cancelTimer(.refusal)) }
    refusal = nil
  }

  // MARK: The live stream

  /// The stream that is followed, if any.
  var followedStream: Int? {
    if case .connected(.live(let stream)) = link { stream.number } else { nil }
  }

  /// A push was answered that the stream has to tell of. If it does not, a pull finds out why.
  mutating func awaitEcho() {
    guard case .connected(.live(var stream)) = link, stream.echo == nil else { return }
    let timer = nextNumber()
    stream.echo = timer
    link = .connected(.live(stream))
    actions.append(.startTimer(.init(.echo, timer), .deadline(doublings: sizes.pullPatience)))
  }

  /// The stream has told of every push that was answered.
  mutating func heardEcho() {
    guard case .connected(.live(var stream)) = link, stream.echo != nil else { return }
    stream.echo = nil
    link = .connected(.live(stream))
    actions.append(.cancelTimer(.echo))
  }

  private func stream(_ number: Int) -> Stream? {
    guard case .connected(.live(let stream)) = link, stream.number == number else { return nil }
    return stream
  }

  mutating func liveOpened(_ number: Int) {
    guard var stream = stream(number) else { return }
    stream.isOpen = true
    link = .connected(.live(stream))
    actions.append(.cancelTimer(.opening))
    actions.append(.startTimer(.init(.steady, number), .steady))
  }

  /// Whether a page is of the stream that is followed.
  func isFollowed(_ number: Int) -> Bool { stream(number) != nil }

  mutating func livePage(_ number: Int, _ page: RemotePage) {
    guard var stream = stream(number) else { return }
    lastError = nil
    if page.isReset {
      // A reset is taken by pulls only, when no push is under way: its pages are the truth whatever their versions.
      resets += 1
      needsPull = true
      if resets > Self.resetsBeforeBackoff { fail(Self.endlessResets) } else { unsubscribe() }
      return
    }
    succeed()
    stream.held = page  // the next step applies it, now or when a push is settled
    link = .connected(.live(stream))
  }

  /// The server is there and serves us: the next failure is a first one.
  private mutating func succeed() {
    attempt = 0
    liveFailures = 0
    resets = 0
  }

  /// Returns whether what was read is to be removed.
  mutating func liveRevoked(_ number: Int) -> Bool {
    guard stream(number) != nil else { return false }
    defer { fail(SyncError(TransportError(.forbidden, "The permission to read the group was withdrawn."))) }
    return isIdle
  }

  /// Returns whether what was read is to be removed.
  mutating func liveEnded(_ number: Int, _ error: TransportError?) -> Bool {
    guard let stream = stream(number) else { return false }
    if stream.isSteady && error?.code != .timedOut { liveFailures = 0 } else { liveFailures += 1 }
    if error?.code == .unsupported || liveFailures >= Self.failuresBeforePolling {
      isLiveUnsupported = true
      unsubscribe()
      needsPull = true
      return false
    }
    defer { fail(SyncError(error ?? TransportError(.unreachable, "The server ended the live stream."))) }
    return error?.code == .forbidden && isIdle
  }

  private var isIdle: Bool { if case .idle = activity { true } else { false } }

  private mutating func unsubscribe() {
    guard case .connected(let subscription) = link else { return }
    link = .connected(.none)
    switch subscription {
    case .none: break
    case .polling: actions.append(.cancelTimer(.poll))
    case .live(let stream):
      actions.append(.closeLive(stream: stream.number))
      actions.append(.cancelTimer(stream.isOpen ? .steady : .opening))
      if stream.echo != nil { actions.append(.cancelTimer(.echo)) }
    }
  }

  // MARK: Time and failure

  mutating func fired(_ timer: ReplicaTimer) -> Fired {
    switch timer.kind {
    case .retry:
      if case .waiting(timer.number) = link { begin() }
    case .refusal:
      if refusal?.timer == timer.number { refusal = nil }
    case .poll:
      if case .connected(.polling(timer.number)) = link { poll() }
    case .deadline: return deadline(timer.number)
    case .opening:
      if let stream = stream(timer.number), !stream.isOpen { return .openingTimedOut(stream: stream.number) }
    case .steady:
      if var stream = stream(timer.number) {
        stream.isSteady = true
        link = .connected(.live(stream))
        attempt = 0
        resets = 0
        lastError = nil
      }
    case .echo:
      if case .connected(.live(var stream)) = link, stream.echo == timer.number {
        stream.echo = nil
        link = .connected(.live(stream))
        needsPull = true
      }
    }
    return .nothing
  }

  private mutating func poll() {
    link = .connected(.none)
    needsPull = true
    attempt = 0
    polls += 1
    if polls % Self.pollsBeforeLive == 0 {  // perhaps there is a live stream by now
      isLiveUnsupported = false
      liveFailures = 0
    }
  }

  /// Progress gives a request as much time again.
  private mutating func deadline(_ number: Int) -> Fired {
    switch activity {
    case .pulling(var exchange) where exchange.number == number:
      guard exchange.hasProgressed else { return .pullTimedOut(request: number) }
      exchange.hasProgressed = false
      activity = .pulling(exchange)
      setDeadline(exchange, sizes.pullPatience)
    case .pushing(var exchange) where exchange.number == number:
      guard exchange.hasProgressed else { return .pushTimedOut(request: number) }
      exchange.hasProgressed = false
      activity = .pushing(exchange)
      setDeadline(exchange, sizes.pushPatience)
    case .idle, .pulling, .saving, .freezing, .pushing: break
    }
    return .nothing
  }

  /// Lets go of the server for a while.
  mutating func fail(_ error: SyncError) {
    guard isConnected else { return }
    lastError = error
    let timer = nextNumber()
    attempt += 1
    leave(.waiting(timer: timer))
    actions.append(
      .startTimer(
        .init(.retry, timer), .backoff(attempt: attempt, retryAfter: error.transport?.retryAfter)))
    endPass(error)
    endFirstAttempt()
  }

  private mutating func leave(_ next: Link) {
    unsubscribe()
    if case .waiting = link { actions.append(.cancelTimer(.retry)) }
    link = next
    switch activity {
    case .pulling(let exchange), .pushing(let exchange): abandon(exchange)
    case .saving(let ticket, .apply): activity = .saving(ticket: ticket, then: .nothing)
    case .idle, .saving, .freezing: break
    }
  }

  /// Tells the driver that a request which is under way has no sense any more; whoever calls ends it.
  mutating func giveUp(_ request: Int) { actions.append(.abandon(request: request)) }

  /// The answer to come is void.
  private mutating func abandon(_ exchange: Exchange) {
    activity = .idle
    actions.append(.abandon(request: exchange.number))
    actions.append(.cancelTimer(.deadline))
  }

  private mutating func endPass(_ error: SyncError?) {
    guard wantsPass else { return }
    wantsPass = false
    actions.append(.passEnded(error))
  }

  private mutating func endFirstAttempt() {
    guard !hasAttempted else { return }
    hasAttempted = true
    actions.append(.firstAttemptEnded)
  }

  private mutating func nextNumber() -> Int {
    lastNumber += 1
    return lastNumber
  }
}
