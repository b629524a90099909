internal import HashTreeCollections

public import struct Foundation.Date

/// How an atom stands with its disk and its server, at one moment.
public struct SyncStatus: Sendable, Equatable {
  /// What the atom does about its server.
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

  /// What the atom does about its server.
  public var connection: Connection
  /// The number of commits that are not durable yet. Above 0 for longer than a moment: see ``lastStorageError``.
  public var unsavedCount: Int
  /// The number of documents with edits that the server has not confirmed.
  public var pendingCount: Int
  /// The number of documents in the push whose verdicts are awaited.
  public var inFlightCount: Int
  /// The number of documents with an edit that was permanently rejected.
  public var rejectedCount: Int
  /// The number of conflicts that a merge function left open.
  public var openConflictCount: Int
  /// The number of documents of an encrypted atom that cannot be shown; `Documents.undecodable` names them.
  public var unopenedCount = 0
  /// The number of documents of an encrypted atom that are sealed by an older key, or not at all.
  public var outdatedCount = 0
  /// The atom has had the server's whole content at least once.
  public var hasSynced: Bool
  /// The permission to read the group was withdrawn.
  public var isRevoked: Bool
  /// When everything that the server had was last fetched; `nil`: not since the start.
  public var lastPull: Date?
  /// When a push was last answered; `nil`: not since the start.
  public var lastPush: Date?
  /// When the server is tried again.
  public var nextRetry: Date?
  /// Why syncing does not get on; `nil` once it does again.
  public var lastError: String?
  /// Why changes cannot be made durable; `nil` once they can again.
  public var lastStorageError: String?

  private(set) var pending: TreeDictionary<String, Int64> = [:]

  package init(
    connection: Connection, unsavedCount: Int, pendingCount: Int, inFlightCount: Int, rejectedCount: Int,
    openConflictCount: Int, hasSynced: Bool, isRevoked: Bool, lastPull: Date?, lastPush: Date?,
    lastError: String?
  ) {
    self.connection = connection
    self.unsavedCount = unsavedCount
    self.pendingCount = pendingCount
    self.inFlightCount = inFlightCount
    self.rejectedCount = rejectedCount
    self.openConflictCount = openConflictCount
    self.hasSynced = hasSynced
    self.isRevoked = isRevoked
    self.lastPull = lastPull
    self.lastPush = lastPush
    self.lastError = lastError
  }

  /// When the oldest edit was made that the server has not confirmed. O(n)
  public var oldestPending: Date? { pending.values.min().map { Date(milliseconds: $0) } }
  /// The ids of the documents with edits that the server has not confirmed, in order. O(n log n)
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

  /// Compares all but which edits are pending.
  public static func == (left: SyncStatus, right: SyncStatus) -> Bool {
    left.connection == right.connection && left.unsavedCount == right.unsavedCount
      && left.pendingCount == right.pendingCount
      && left.inFlightCount == right.inFlightCount && left.rejectedCount == right.rejectedCount
      && left.openConflictCount == right.openConflictCount && left.unopenedCount == right.unopenedCount
      && left.outdatedCount == right.outdatedCount
      && left.hasSynced == right.hasSynced
      && left.isRevoked == right.isRevoked && left.lastPull == right.lastPull
      && left.lastPush == right.lastPush && left.nextRetry == right.nextRetry
      && left.lastError == right.lastError && left.lastStorageError == right.lastStorageError
  }
}
