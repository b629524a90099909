internal import AtomsyncCore
internal import HashTreeCollections

/// How an atom stands with its disk and its server, at one moment.
public struct SyncStatus: Sendable, Equatable {
  public enum Connection: Sendable, Hashable {
    /// There is no server, or syncing is paused.
    case offline
    /// Fetching what has changed.
    case pulling
    /// Changes of others arrive as they happen.
    case live
    /// The server has no live stream; it is asked at intervals.
    case polling
    /// After a failure, until the retry; see ``SyncStatus/lastError``.
    case waiting
    /// No more talking to the server.
    case stopped(StopReason)
  }

  public var connection: Connection
  /// The number of commits that are not durable yet. Above 0 for longer than a moment: see ``lastStorageError``.
  public var unsavedCount: Int
  /// The number of documents with edits that the server has not confirmed.
  public var pendingCount: Int
  /// The number of documents in the push whose verdicts are awaited.
  public var inFlightCount: Int
  /// The number of documents whose edit can never go.
  public var rejectedCount: Int
  /// The number of conflicts that a merge function left open.
  public var openConflictCount: Int
  /// The atom has had the server's whole content at least once.
  public var hasSynced: Bool
  /// The permission to read the group was withdrawn.
  public var isRevoked: Bool
  /// When pages were last taken completely, in milliseconds since 1970; `nil`: not since the start.
  public var lastPull: Int64?
  /// When a push was last answered, in milliseconds since 1970; `nil`: not since the start.
  public var lastPush: Int64?
  /// When the server is tried again, in milliseconds since 1970.
  public var nextRetry: Int64?
  /// Why syncing does not get on; `nil` once it does again.
  public var lastError: String?
  /// Why changes cannot be made durable; `nil` once they can again.
  public var lastStorageError: String?

  private(set) var pending: TreeDictionary<String, Int64> = [:]

  /// When the oldest edit was made that the server has not confirmed, in milliseconds since 1970. O(n)
  public var oldestPending: Int64? { pending.values.min() }
  /// The ids of the documents with edits that the server has not confirmed. O(n)
  public var pendingIDs: [String] { pending.keys.sorted() }
  /// Everything is durable here, and nothing waits for the server.
  public var isSettled: Bool { unsavedCount == 0 && pendingCount == 0 && rejectedCount == 0 }

  /// The same status, which can say which edits are pending. Only what is handed out can: while somebody holds the
  /// tree, each edit has to copy a part of it.
  func naming(_ pending: TreeDictionary<String, Int64>) -> SyncStatus {
    var status = self
    status.pending = pending
    return status
  }

  public static func == (left: SyncStatus, right: SyncStatus) -> Bool {
    left.connection == right.connection && left.unsavedCount == right.unsavedCount
      && left.pendingCount == right.pendingCount
      && left.inFlightCount == right.inFlightCount && left.rejectedCount == right.rejectedCount
      && left.openConflictCount == right.openConflictCount && left.hasSynced == right.hasSynced
      && left.isRevoked == right.isRevoked && left.lastPull == right.lastPull
      && left.lastPush == right.lastPush && left.nextRetry == right.nextRetry
      && left.lastError == right.lastError && left.lastStorageError == right.lastStorageError
  }
}

extension ReplicaMachine {
  /// See ``SyncStatus/oldestPending``.
  package var oldestPending: Int64? { documents.pending.values.min() }

  /// The documents with pending edits, in order.
  package var pendingIDs: [String] { documents.pending.keys.sorted() }

  /// The part of the status that the machine knows, without the pending edits themselves. O(1)
  package func status() -> SyncStatus {
    SyncStatus(
      connection: connection, unsavedCount: Int(lastTicket - savedTicket),
      pendingCount: documents.pending.count,
      inFlightCount: inFlight?.entries.count ?? 0, rejectedCount: rejections.count,
      openConflictCount: openConflicts.count, hasSynced: record.hasSynced, isRevoked: record.isRevoked,
      lastPull: lastPull, lastPush: lastPush, nextRetry: nil,
      lastError: (lastError ?? pushRefusal)?.description, lastStorageError: nil)
  }

  private var connection: SyncStatus.Connection {
    switch (link, follow) {
    case (.offline, _): .offline
    case (.waiting, _): .waiting
    case (.stopped(let reason), _): .stopped(reason)
    case (.connected, .live(_, true)): .live
    case (.connected, .polling): .polling
    case (.connected, _): .pulling
    }
  }
}
