internal import AtomsyncCore
public import AtomsyncEngine
internal import Transit

extension SyncedAtom {
  // MARK: Control

  /// Talks to the server now, and returns once nothing is pending and everything that the server had is here.
  ///
  /// - Throws: `SyncError`: `transport` (the server cannot be reached, or refuses), `unsettled` (something was
  ///   rejected or is in an open conflict), `paused`, `stopped`, `timedOut`; `CancellationError`.
  public func sync(timeout: Duration? = .seconds(60)) async throws {
    try await replica.sync(timeout: timeout)
    let status = status
    if status.rejectedCount > 0 || status.openConflictCount > 0 || status.pendingCount > 0 {
      throw SyncError(
        .unsettled,
        "\(status.pendingCount) pending, \(status.rejectedCount) rejected, \(status.openConflictCount) in conflict."
      )
    }
  }

  /// Stops talking to the server until ``resume()``. Changes go on being saved here.
  public func pause() { replica.pause() }

  /// Talks to the server again after ``pause()``, or at once instead of after a backoff.
  public func resume() { replica.resume() }

  /// Reads everything anew from the server, without ever showing an empty value on the way.
  ///
  /// - Parameter discardingPending: true discards the changes that the server has not confirmed.
  public func resync(discardingPending: Bool = false) { replica.resync(discardingPending: discardingPending) }

  // MARK: What became of changes

  /// How the atom stands with its disk and its server, now.
  public var status: SyncStatus { replica.status }

  /// The conflicts of the last 30 days in which the atom was in use (the configuration's retention), oldest first, each
  /// with what lost: the newest ones, as many as the configuration's limit of bytes allows.
  public var conflicts: [Conflict] { replica.conflicts }

  /// The edits that the server has permanently rejected, by document.
  public var rejections: [Rejection] { replica.rejections }

  /// Forgets the rejected edit of a document. Does nothing when there is none.
  public func discardRejection(_ id: String) {
    if let rejection = replica.rejection(of: id) { replica.discard(rejection) }
  }

  /// Makes the rejected edit of a document again.
  ///
  /// - Returns: `nil` when there is none.
  /// - Throws: as ``swap(atomic:_:)``.
  @discardableResult
  public func retryRejection(_ id: String) throws -> Receipt? {
    guard let rejection = replica.rejection(of: id) else { return nil }
    let receipt = try swap { $0.put(rejection.value, as: id) }
    replica.discard(rejection)  // this one: the retry may be rejected by now
    return receipt
  }

  /// Writes again what lost a conflict: the local value if the server's won, the server's if the local one won.
  ///
  /// - Throws: as ``swap(atomic:_:)``.
  @discardableResult
  public func recover(_ conflict: Conflict) throws -> Receipt {
    let lost: TransitValue? = conflict.outcome == .localWon ? conflict.remote : conflict.local
    return try swap { $0.put(lost, as: conflict.document) }
  }

  /// What became of a swap of this process or an earlier one, by its receipt's id. O(1)
  public func receipt(_ id: Receipt.ID) -> Receipt { Receipt(id, nil, replica) }
}
