package import AtomsyncCore
package import Foundation
internal import HashTreeCollections
internal import Transit

/// The replica's engine as a pure state machine: events in, effects out. No clock, no input or output, no
/// randomness of its own, so that a seed replays it exactly.
///
/// It joins two values that know nothing of each other: the session talks to the server and says what comes next, the
/// content holds documents and edits. The rules that keep writes from being lost:
///
/// 1. Each event's rows are one batch; batches become durable in order.
/// 2. A push is frozen and durable before it is sent, and sent again as it is until its verdicts are known.
/// 3. While a push's outcome is unknown no page is applied, so that its verdicts always meet a base that is not
///    younger than themselves.
/// 4. A page is applied together with its cursor. The next one is fetched meanwhile, and applied once it is durable:
///    one page is being saved and one is waiting at most, however many there are.
package struct ReplicaMachine: Sendable {
  package struct Settings: Sendable {
    package let group: String
    package let keys: ReplicaKeys
    let content: ReplicaContent.Settings
    let sizes: MessageSizes

    /// - Parameter sealing: what documents look like to the server.
    package init(
      group: String, atom: String, policy: ConflictPolicy, limits: Limits, retention: Int64 = .max,
      sealing: DocumentSealing? = nil
    ) {
      self.group = group
      keys = ReplicaKeys(atom: atom)
      content = ReplicaContent.Settings(
        group: group, keys: keys,
        resolution: {
          switch policy.kind {
          case .serverWins: .serverWins
          case .localWins: .localWins
          case .merge, .rebase: .ask
          }
        }(),
        documentsPerPush: max(1, limits.documentsPerPush), retention: retention,
        conflictBytes: limits.conflictBytes, sealing: sealing ?? DocumentSealing(nil, group: group))
      sizes = MessageSizes(
        pageDocuments: limits.pageDocuments, pushDocuments: limits.documentsPerPush,
        pushBytes: limits.pushBytes)
    }
  }

  package let settings: Settings
  private(set) var session: SyncSession
  private(set) var content: ReplicaContent
  private var unheard = UnheardVerdicts()

  package private(set) var lastTicket: Int64 = 0
  package private(set) var savedTicket: Int64 = 0
  /// Rises with every change of what is visible.
  package private(set) var revision = 0
  /// When everything that the server had was last fetched, in milliseconds since 1970.
  private(set) var lastPull: Int64?
  /// When a push was last answered, in milliseconds since 1970.
  private(set) var lastPush: Int64?

  /// A new, empty replica.
  ///
  /// - Parameter client: names it to the server.
  package init(_ settings: Settings, client: UUID) {
    self.settings = settings
    session = SyncSession(settings.sizes)
    content = ReplicaContent(settings.content, client: client)
  }

  // MARK: Opening

  /// What to read from the store to begin with.
  package static func loadQuery(_ settings: Settings) -> StorageQuery {
    ReplicaContent.loadQuery(settings.content)
  }

  /// The replica that a snapshot of ``loadQuery(_:)`` holds.
  ///
  /// - Parameter client: names the replica to the server if it is new.
  /// - Throws: `StorageError` with `corrupt` or `newerFormat`; ``SyncError`` with `wrongGroup`. O(documents)
  package static func load(
    _ settings: Settings, _ snapshot: StorageSnapshot, client: UUID, now: Int64
  ) throws -> (machine: ReplicaMachine, effects: ReplicaEffects) {
    var machine = ReplicaMachine(settings, client: client)
    machine.content.now = now
    do {
      try machine.content.load(snapshot)
      try machine.content.reopenSealed()
    } catch let error as TransitError {
      throw StorageError(
        .corrupt, "A value in the store cannot be read. Restore the store from a backup.", cause: "\(error)")
    }
    machine.content.reopenConflicts()
    let effects = machine.takeEffects()
    return (machine, effects)
  }

  // MARK: Events

  /// Handles one event.
  package mutating func handle(_ event: ReplicaEvent, now: Int64) -> ReplicaEffects {
    content.now = now
    switch event {
    case .connect: session.connect()
    case .disconnect: session.disconnect()
    case .close: session.stop(.closed)
    case .storeLost: session.stop(.storeLost)
    case .sync: session.requestPass()
    case .saved(let ticket):
      savedTicket = max(savedTicket, ticket)
      if let (page, seen) = session.saved(ticket) { take(page, seen: seen) }
    case .progressed(let request): session.progressed(request)
    case .pulled(let request, let page): pulled(request, page)
    case .pullFailed(let request, let error): pullFailed(request, error)
    case .pushed(let request, let answer): pushed(request, answer)
    case .pushFailed(let request, let error, let client): pushFailed(request, error, client)
    case .liveOpened(let stream): session.liveOpened(stream)
    case .livePage(let stream, let page): livePage(stream, page)
    case .liveRevoked(let stream): if session.liveRevoked(stream) { content.revoke() }
    case .liveEnded(let stream, let error): liveEnded(stream, error)
    case .timer(let timer): fired(timer)
    case .merged(let task, let result): if end == nil { content.merged(task, result) }
    case .resync(let discardingPending): resync(discardingPending)
    case .discardRejection(let rejection): if end == nil { content.discardRejection(rejection) }
    case .expire: if end == nil { content.expire() }
    }
    advance()
    return takeEffects()
  }

  /// Takes a swap: the documents that it changed, as they are to be.
  ///
  /// - Parameter isAtomic: the changes reach the server together or not at all.
  /// - Throws: ``SyncError`` (`invalidDocument`) when more documents would go together than a push can hold.
  /// - Returns: the effects; without an edit number when nothing was changed, or when nothing can be any more.
  package mutating func edit(
    _ changes: [(id: String, value: StoredValue?)], isAtomic: Bool = false, now: Int64
  ) throws(SyncError) -> ReplicaEffects {
    content.now = now
    guard end == nil else { return takeEffects() }
    let edited = try content.edit(changes, isAtomic: isAtomic)
    guard !edited.isEmpty else { return takeEffects() }
    advance()
    var effects = takeEffects()
    effects.edit = content.record.edit
    effects.edited = edited
    return effects
  }

  private mutating func takeEffects() -> ReplicaEffects {
    let output = content.takeOutput()
    var effects = ReplicaEffects()
    effects.batch = output.batch
    effects.changed = output.changed
    effects.settled = output.settled
    effects.conflicts = output.conflicts
    effects.actions = session.takeActions()
    for merge in output.merges { effects.actions.append(.merge(merge)) }
    if !effects.batch.writes.isEmpty {
      lastTicket += 1
      effects.ticket = lastTicket
    }
    if !effects.changed.isEmpty { revision += 1 }
    #if DEBUG
    let violation = violatedInvariant(in: effects.changed)
    assert(violation == nil, violation ?? "")
    #endif
    return effects
  }

  /// The ticket that the rows of the event being handled will get.
  private var currentTicket: Int64 { lastTicket + 1 }

  /// Begins whatever is to be done next, if nothing is being done.
  private mutating func advance() {
    while let step = session.nextStep(hasPushInFlight: content.inFlight != nil) {
      switch step {
      case .send:
        guard let push = content.outgoingPush else { return }
        session.send(push)
      case .pull: session.pull(settings.group, from: content.record.cursor, seen: content.record.seen)
      case .apply(let page, let stream):
        content.apply(page, seen: stream.seen)
        if !page.hasMore { lastPull = content.now }
        session.applied(page, currentTicket, of: stream)
        unheard.hear(page.items, on: stream.number)
        if unheard.isEmpty { session.heardEcho() }
      case .freeze:
        guard content.freeze(session.pushLimits) || content.reseal() && content.freeze(session.pushLimits)
        else {
          rest()
          return
        }
        session.froze(currentTicket)
      }
    }
    rest()
  }

  private mutating func rest() {
    session.rest(
      settings.group, from: content.record.cursor, seen: content.record.seen,
      isMerging: !content.merging.isEmpty)
  }

  // MARK: Pages

  private mutating func pulled(_ request: Int, _ page: RemotePage) {
    guard let exchange = session.endPull(request) else { return }
    if object(to: page, asked: exchange.cursor) { return }
    if session.canApply(page, exchange) { take(page, seen: exchange.seen) }
  }

  private mutating func take(_ page: RemotePage, seen: Cursor?) {
    content.apply(page, seen: seen)
    if session.applied(page, currentTicket) { lastPull = content.now }
  }

  private mutating func livePage(_ stream: Int, _ page: RemotePage) {
    guard session.isFollowed(stream) else { return }
    if object(to: page) { return }
    session.livePage(stream, page)
  }

  /// Whether something speaks against a page: then it is not applied.
  private mutating func object(to page: RemotePage, asked: Cursor? = nil) -> Bool {
    switch content.objection(to: page, asked: asked) {
    case nil: return false
    case .wrongUser(let expected, let actual): session.stop(.wrongUser(expected: expected, actual: actual))
    case .error(let error): session.reject(error)
    case .otherHistory:
      resync(false)
      session.outdated(Self.storeWasPutBack)
    }
    return true
  }

  private mutating func pullFailed(_ request: Int, _ error: TransportError) {
    guard session.endPull(request) != nil else { return }
    if error.code == .forbidden { content.revoke() }
    if stopsForWrongUser(error) { return }
    session.pullFailed(error)
  }

  private mutating func liveEnded(_ stream: Int, _ error: TransportError?) {
    if session.isFollowed(stream), let error, stopsForWrongUser(error) { return }
    if session.liveEnded(stream, error) { content.revoke() }
  }

  private mutating func resync(_ discardingPending: Bool) {
    if case .stopped = session.link { return }
    content.resync(discardingPending: discardingPending)
    session.startOver(dropsPush: discardingPending)
  }

  // MARK: Pushes

  private mutating func pushed(_ request: Int, _ answer: RemoteAnswer) {
    guard session.endPush(request) else { return }
    switch content.settle(answer) {
    case .incomplete:
      pushFailed(TransportError(.malformedAnswer, "The server's answer has no verdict on some documents."))
      return
    case .settled(let size):
      session.settled(size)
      expectEcho(of: answer)
    case .unexplained: session.unexplained()
    case .reset: session.outdated(Self.storeWasPutBack)
    }
    lastPush = content.now
  }

  /// A live stream that was opened before the answer has to tell of it.
  private mutating func expectEcho(of answer: RemoteAnswer) {
    guard let stream = session.followedStream else { return }
    unheard.expect(answer.accepted, on: stream)
    if !unheard.isEmpty { session.awaitEcho() }
  }

  private static let storeWasPutBack = TransportError(
    .unavailable, "The server's store was put back to an earlier state.")

  private mutating func pushFailed(_ request: Int, _ error: TransportError, _ client: UUID) {
    guard session.endPush(request) else { return }
    if stopsForWrongUser(error) { return }
    let size = content.pushSize
    switch error.code {
    case .stalePush:
      content.dissolve()
      content.renewClient(client)
      session.outdated(error)
    case .tooLarge where size.isWhole: content.rejectPush(RejectionReason.tooLarge.text)
    case .refused where size.isWhole: content.rejectPush(error.cause ?? "refused")
    case .oversized where size.isWhole:
      // It may get through another day. The others go first until then.
      content.dissolve(toEnd: true)
      session.refusePushes(SyncError(error))
    case .tooLarge, .refused, .oversized:
      content.dissolve()
      session.shrink(below: size)
    case .timedOut:
      if session.pushTimedOut(size) {
        content.dissolve()
        session.fail(SyncError(error))
      } else {
        pushFailed(error)
      }
    case .forbidden:
      content.dissolve()
      content.endResealing()
      session.refusePushes(SyncError(error))
    default: pushFailed(error)
    }
  }

  /// The outcome of a push is unknown. One that fails again and again holds up neither reading nor the other edits.
  private mutating func pushFailed(_ error: TransportError) {
    if session.pushFailed(SyncError(error)) { content.dissolve(toEnd: true) }
  }

  private mutating func stopsForWrongUser(_ error: TransportError) -> Bool {
    guard error.code == .wrongUser else { return false }
    session.stop(.wrongUser(expected: content.record.user ?? "", actual: ""))
    return true
  }

  // MARK: Time

  private mutating func fired(_ timer: ReplicaTimer) {
    let late = TransportError(.timedOut, "The server did not answer in time.")
    switch session.fired(timer) {
    case .nothing: break
    case .pullTimedOut(let request):
      session.giveUp(request)
      pullFailed(request, late)
    case .pushTimedOut(let request):
      session.giveUp(request)
      pushFailed(request, late, content.record.client)
    case .openingTimedOut(let stream): liveEnded(stream, late)
    }
  }
}
