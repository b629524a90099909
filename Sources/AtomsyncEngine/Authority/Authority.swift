public import AtomsyncCore
internal import Foundation
internal import Logging

/// The server's engine: documents, versions and cursors over a storage. No network in it.
///
/// An HTTP server hands requests to it, a `LoopbackTransport` does so inside one process. What it answers is
/// Docs/Protocol.md; what a request got wrong is thrown as an `ProtocolError`, what the store could not do as a
/// `StorageError`.
///
/// ## Behavior
/// - Pushes are judged in the order in which they arrive. Those that arrive while a commit is under way are judged
///   together in the next one, so that many clients share the cost of making a commit durable.
/// - A verdict is answered only once it is durable.
/// - Pulls run beside pushes; each answers from one snapshot.
/// - Several authorities, also in several processes, may share a store that allows it.
public final class Authority: Sendable {
  let storage: any Storage
  let identity: UUID
  let configuration: AtomsyncConfiguration
  let pushes: PushQueue
  private let willAccept: WriteValidator?
  let notifier = ChangeNotifier()
  private let pages = PageCache()
  private let foreignCommits: Task<Void, Never>
  private let maintenance: Lock<Task<Void, Never>?> = Lock(nil)

  /// Opens the configuration's storage as a server's store, creating it if there is none.
  ///
  /// - Parameters:
  ///   - configuration: the storage, limits, retention and clock.
  ///   - willAccept: the application's own check of each write; see ``WriteValidator``.
  /// - Throws: `StorageError`: the store cannot be opened, is a client's, or has a newer format.
  public static func open(
    _ configuration: AtomsyncConfiguration, willAccept: WriteValidator? = nil
  ) async throws -> Authority {
    let storage = try await configuration.storage.open(.shared)
    do {
      let header = try await StoreHeader.open(storage, kind: .authority)
      return Authority(storage, header, configuration, willAccept)
    } catch {
      await storage.close()
      throw error
    }
  }

  private init(
    _ storage: any Storage, _ header: StoreHeader, _ configuration: AtomsyncConfiguration,
    _ willAccept: WriteValidator?
  ) {
    self.willAccept = willAccept
    self.storage = storage
    self.identity = header.identity
    self.configuration = configuration
    self.pushes = PushQueue(storage, identity: header.identity, notifier, configuration)
    let notifier = notifier
    self.foreignCommits = Task {
      for await commit in storage.foreignCommits() {
        if let groups = commit.topics { notifier.notify(groups) } else { notifier.notifyAll() }
      }
    }
    maintenance.withLock {
      $0 = Task { [weak self, configuration] in
        while !Task.isCancelled {
          do { try await self?.purge() } catch is CancellationError { return } catch {
            configuration.logger.warning(
              "Purging old tombstones failed; it is tried again.", metadata: ["error": "\(error)"])
          }
          do { try await configuration.clock.sleep(for: .seconds(3600)) } catch { return }
        }
      }
    }
  }

  deinit {
    foreignCommits.cancel()
    maintenance.withLock { $0 }?.cancel()
    notifier.close()
  }

  /// One page of a group's changes.
  ///
  /// - Throws: `ProtocolError` with `invalid-group` or `invalid-parameter`; `StorageError`.
  public nonisolated(nonsending) func pull(_ request: PullRequest) async throws -> PullPage {
    try await pull(request, pageBytes: .max)
  }

  private nonisolated(nonsending) func pull(_ request: PullRequest, pageBytes: Int) async throws -> PullPage {
    try check(request)
    let limits = configuration.limits
    let limit = min(request.limit ?? limits.pageDocuments, limits.maximumPageDocuments)
    var plan = PullPlan(
      request, identity: identity, limit: limit, byteLimit: min(pageBytes, limits.pageBytes))
    while true {
      try Task.checkCancellation()
      let snapshot = try await storage.read(plan.query)
      if let page = try plan.advance(snapshot, now: configuration.now().milliseconds) { return page }
    }
  }

  /// Judges edits and commits those that are accepted.
  ///
  /// - Throws: `ProtocolError` with `invalid-group`, `duplicate-id`, `too-large`, `stale-push` or `unavailable`, or what the
  ///   application's check throws: nothing was changed. `StorageError`: nothing was changed, or the commit's outcome is
  ///   unknown.
  public nonisolated(nonsending) func push(_ request: PushRequest) async throws -> PushAnswer {
    try check(request)
    guard let willAccept else { return try await pushes.push(request, refusing: [:]) }
    return try await push(request, checkedBy: willAccept)
  }

  private nonisolated(nonsending) func push(
    _ request: PushRequest, checkedBy willAccept: @escaping WriteValidator
  ) async throws -> PushAnswer {
    let refusals = try await pushes.checking(request) {
      try await request.refusals(willAccept, configuration.limits)
    }
    return try await pushes.push(request, refusing: refusals)
  }

  /// Follows groups until the task is cancelled, the authority closes, or `receive` throws: a loop of pulls, woken
  /// by commits. Waits for `receive` before it reads on, so a slow reader costs no memory; it just reads later.
  ///
  /// - Parameters:
  ///   - request: the groups, each with its place.
  ///   - pageBytes: where a page ends; never more than ``Limits/pageBytes``.
  ///   - admits: asked before each page whether the group may still be read; when not, `receive` gets
  ///     `revoked(group:)` and no more of that group. What it throws ends the stream.
  ///   - receive: called with each event, in order.
  public func live(
    _ request: LiveRequest, pageBytes: Int = .max,
    admits: @escaping @Sendable (String) async throws -> Bool = { _ in true },
    receive: @escaping @Sendable (LiveEvent) async throws -> Void
  ) async throws {
    let reader = try reader(request, pageBytes: pageBytes, admits: admits)
    while let event = try await reader.next() {
      switch event {
      case .opened: try await receive(.opened)
      case .page(let shared): try await receive(.page(shared.page))
      case .revoked(let group): try await receive(.revoked(group: group))
      case .idle: break
      }
    }
  }

  /// A reader of groups, as ``live(_:pageBytes:admits:receive:)`` uses one. Readers at the same place share their pages, and what those
  /// are encoded to.
  package func reader(
    _ request: LiveRequest, pageBytes: Int,
    admits: nonisolated(nonsending) @escaping @Sendable (String) async throws -> Bool
  ) throws -> LiveReader {
    for group in request.groups { try check(group) }
    return LiveReader(self, request, pageBytes: pageBytes, admits: admits)
  }

  /// Whether the store answers.
  package func isReady() async -> Bool {
    do { _ = try await storage.read(StoreHeader.key) } catch { return false }
    return true
  }

  /// Has every live stream ask again whether its groups may be read.
  package func wakeLiveReaders() { notifier.notifyAll() }

  /// Finishes the pushes that were taken, ends live streams, closes the store.
  public func close() async {
    foreignCommits.cancel()
    maintenance.withLock { $0 }?.cancel()
    notifier.close()
    await pushes.close()
    await storage.close()
  }

  // MARK: Parts

  /// The page that a live reader goes on with.
  nonisolated(nonsending) func page(_ request: PullRequest, _ pageBytes: Int) async throws -> SharedPage {
    if request.seen == nil, let generation = notifier.sharedGeneration(of: request.group) {
      let key: PageCache.Key? =
        switch request.start {
        case .beginning:
          .init(group: request.group, limit: request.limit, bytes: pageBytes, generation: generation)
        case .cursor(let cursor):
          .init(
            group: request.group, cursor: cursor.text, limit: request.limit, bytes: pageBytes,
            generation: generation)
        case .since: nil
        }
      if let key {
        return try await pages.page(key) { try await self.pull(request, pageBytes: pageBytes) }
      }
    }
    return SharedPage(try await pull(request, pageBytes: pageBytes))
  }

  private func check(_ request: PullRequest) throws {
    if let problem = Names.problem(group: request.group) { throw ProtocolError(.invalidGroup, problem) }
    if let limit = request.limit, limit < 1 {
      throw ProtocolError(.invalidParameter, "The limit must be at least 1; it is \(limit).")
    }
  }

  private func check(_ request: PushRequest) throws {
    if let problem = Names.problem(group: request.group) { throw ProtocolError(.invalidGroup, problem) }
    let most = configuration.limits.documentsPerPush
    guard request.edits.count <= most else {
      throw ProtocolError(
        .tooLarge, "A push has at most \(most) documents; this one has \(request.edits.count). Send fewer.",
        limit: Int64(most))
    }
    // What is not in this range could be written into the client's record, and not be read again.
    if let ticket = request.ticket, !Int64.counts.contains(ticket.number) {
      throw ProtocolError(
        .invalidParameter, "A push's number is from 0 to 2^62 − 1; this one has \(ticket.number).")
    }
    if let user = request.user, user.utf8.count > Names.maximumGroupLength {
      throw ProtocolError(
        .invalidParameter, "A user's name has at most \(Names.maximumGroupLength) bytes of UTF-8.")
    }
    // A little too long is a verdict of its own on the document; this one would have to be sent back to be named.
    if let long = request.edits.first(where: { $0.id.utf8.count > 4 * Names.maximumIDLength }) {
      throw ProtocolError(
        .invalidID,
        "A document id has at most \(Names.maximumIDLength) bytes of UTF-8; one has \(long.id.utf8.count).")
    }
    if request.edits.count == 1 { return }
    // By their bytes: to compare text as Swift does takes time that a hostile text can multiply.
    var seen = Set<ByteKey>(minimumCapacity: request.edits.count)
    for edit in request.edits where !seen.insert(ByteKey(Array(edit.id.utf8))).inserted {
      throw ProtocolError(.duplicateID, "The push names a document twice. Send its last state only.")
    }
  }
}
