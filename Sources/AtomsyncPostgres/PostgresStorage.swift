public import AtomsyncCore
internal import AtomsyncStorageSupport
internal import Foundation

/// A store in one table of a PostgreSQL database, for any number of processes on any number of machines.
///
/// PostgreSQL 15 or newer. The URL is libpq's (`postgres://user@host:port/database?sslmode=verify-full`), with two parameters
/// more: `table=NAME` for another table than `atomsync`, and `pooling=transaction` where a pooler such as PgBouncer hands
/// out the server's sessions by transaction. Passwords come from the URL, `PGPASSWORD` or `~/.pgpass`, and are in no message.
///
/// ## Durability
/// A commit has reached the disk of the server, and of its synchronous standbys, when it returns. With `.process` it
/// may be lost when the server dies (`synchronous_commit=off`). A server that runs with `fsync=off` promises no more.
///
/// ## Behavior
/// One connection commits, holds the store's lock and hears of others' commits; up to two read. No thread waits for an
/// answer. A connection that is lost is made anew; a commit whose answer was lost with it is looked up, not guessed.
/// A batch is also refused when another process is writing a row that it has a precondition on.
/// What does not come to pass within half a minute, because the server cannot be reached, throws; with the attempt that is
/// under way by then, after little more than a minute.
///
/// ## Limits
/// Keys have 1 to 2,048 bytes.
public final class PostgresStorage: SnapshotStorage {
  /// What it promises: durability as above, several processes, keys of up to 2,048 bytes.
  public let capabilities: StorageCapabilities
  private let address: PostgresAddress
  private let committer: PostgresCommitter
  private let readers: PostgresReaders
  private let news: CommitNews
  private let isClosed = Lock(false)

  /// The most connections that read. Fewer answer more: what waits is asked together.
  private static let readers = 2

  /// Opens the store, creating its tables if there are none.
  ///
  /// - Parameters:
  ///   - url: of the database.
  ///   - access: `.exclusive` keeps everybody else out until ``close()``. When the connection that holds the store is
  ///     lost, every commit throws `inUse`: somebody else may have had it meanwhile.
  ///   - durability: `.none` is treated as `.process`.
  /// - Throws: `StorageError`: `inaccessible` when the server does not answer or refuses, `foreign` or `newerFormat` for a
  ///   table that is left untouched, `inUse`, `corrupt`.
  public static func open(
    _ url: String, access: StorageAccess = .shared, durability: StorageCapabilities.Durability = .power
  ) async throws -> PostgresStorage {
    let address = try PostgresAddress(url)
    let news = CommitNews()
    let committer = PostgresCommitter(
      address, access: access, durability: durability == .power ? .power : .process, news)
    return PostgresStorage(address, committer, news, durability: try await committer.open())
  }

  /// Whether the database has the store's table. Nothing is changed.
  ///
  /// - Throws: `StorageError`: `inaccessible`; `foreign` or `newerFormat` when the table is another's.
  public static func hasStore(at url: String) async throws -> Bool {
    let address = try PostgresAddress(url)
    return try await BlockingQueue("atomsync.postgres.look").run {
      do {
        return try PostgresLayout.find(PostgresHandle(address, settings: [:]), address) != nil
      } catch let failure as PostgresFailure { throw failure.error(at: address) }
    }
  }

  private init(
    _ address: PostgresAddress, _ committer: PostgresCommitter, _ news: CommitNews,
    durability: StorageCapabilities.Durability
  ) {
    self.address = address
    self.committer = committer
    self.news = news
    readers = PostgresReaders(address, limit: Self.readers)
    capabilities = StorageCapabilities(
      durability: durability, isShared: true, maximumKeyLength: PostgresLayout.maximumKeyLength)
  }

  /// The values and scans, from one snapshot. Queries that wait at the same time are asked together.
  public func read(_ query: StorageQuery) async throws -> StorageSnapshot {
    try await readers.read(query)
  }

  /// All batches are one transaction: if this throws, none of them was applied, unless the error says that it is not known.
  public func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] {
    for batch in batches {
      for case .put(let key, _) in batch.writes where key.count > PostgresLayout.maximumKeyLength {
        throw StorageError(
          .keyTooLong,
          "A key has \(key.count) bytes; PostgreSQL's index takes up to \(PostgresLayout.maximumKeyLength).")
      }
    }
    return try await committer.commit(batches)
  }

  /// By `LISTEN`, with the topics of the batches. The first element comes at once, and another one whenever the connection was
  /// made anew. Behind a pooler PostgreSQL is asked ten times a second instead, without topics.
  public func foreignCommits() -> AsyncStream<ForeignCommit> {
    guard address.isPooled else { return news.stream(first: ForeignCommit()) }
    return CommitPoller.signals { [committer, isClosed] in
      if isClosed.withLock({ $0 }) { throw StorageError.closed }
      return try await committer.look()
    }
  }

  /// On a connection of its own. What is removed or replaced keeps its space for as long as `body` runs.
  public func withSnapshot<Result: Sendable>(
    _ body: @escaping @Sendable (_ read: SnapshotRead) throws -> Result
  ) async throws -> Result {
    if isClosed.withLock({ $0 }) { throw StorageError.closed }
    return try await BlockingQueue("atomsync.postgres.snapshot").run { [address] in
      try PostgresSnapshot(address).pinned(body)
    }
  }

  /// Finishes what was begun and ends the connections.
  public func close() async {
    isClosed.withLock { $0 = true }
    news.finish()
    await readers.close()
    await committer.close()
  }
}

extension StorageProvider {
  /// One table of a PostgreSQL database; see `PostgresStorage`.
  public static func postgres(
    _ url: String, durability: StorageCapabilities.Durability = .power
  ) -> StorageProvider {
    StorageProvider(
      "PostgreSQL at \((try? PostgresAddress(url))?.description ?? "a URL that cannot be read")"
    ) {
      try await PostgresStorage.open(url, access: $0, durability: durability)
    }
  }
}
