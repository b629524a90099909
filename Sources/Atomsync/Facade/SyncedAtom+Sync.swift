internal import AtomsyncCore
internal import HashTreeCollections
internal import Transit

extension SyncedAtom {
  // MARK: Control

  /// Talks to the server now, and returns once nothing is pending and everything that the server had is here.
  ///
  /// - Throws: ``SyncError``: `transport` (the server cannot be reached, or refuses), `unsettled` (something was
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
  public func pause() { replica.handle(.disconnect) }

  /// Talks to the server again after ``pause()``, or at once instead of after a backoff.
  public func resume() { if replica.transport != nil { replica.handle(.connect) } }

  /// Reads everything anew from the server, without ever showing an empty value on the way.
  ///
  /// - Parameter keepPending: false throws away the changes that the server has not confirmed.
  public func reset(keepPending: Bool = true) { replica.handle(.reset(keepPending: keepPending)) }

  // MARK: What became of changes

  /// How the atom stands with its disk and its server, now.
  public var status: SyncStatus { replica.state.withLock { $0.status.naming($0.machine.documents.pending) } }

  /// The conflicts of the last 30 days (the configuration's retention), oldest first, each with what lost.
  public var conflicts: [Conflict] { replica.state.withLock { $0.machine.conflicts } }

  /// The edits that the server can never take.
  public var rejections: [Rejection] {
    replica.state.withLock { $0.machine.rejections.values.sorted { $0.document < $1.document } }
  }

  /// Forgets a rejected edit.
  public func discardRejection(_ id: String) { replica.handle(.discardRejection(id: id)) }

  /// Makes a rejected edit again.
  @discardableResult
  public func retryRejection(_ id: String) throws -> Receipt? {
    guard let rejection = rejections.first(where: { $0.document == id }) else { return nil }
    let value = rejection.value
    let element: Element? = try value.map { try ElementCoding.decode($0) }
    let receipt = try swap { $0[id] = element }
    discardRejection(id)
    return receipt
  }

  /// Writes again what lost a conflict: the local value if the server's won, the server's if the local one won.
  @discardableResult
  public func recover(_ conflict: Conflict) throws -> Receipt {
    let lost: TransitValue? = conflict.outcome == .localWon ? conflict.remote : conflict.local
    let element: Element? = try lost.map { try ElementCoding.decode($0) }
    return try swap { $0[conflict.document] = element }
  }

  /// What became of a swap of this process or an earlier one, by its receipt's id.
  public func receipt(_ id: Receipt.ID) -> Receipt {
    Receipt(id, replica.state.withLock { $0.machine.lastTicket }, replica)
  }
}
