internal import AtomsyncCore
internal import HashTreeCollections

// What the facade sees of a replica.

extension Replica {
  /// How the atom stands with its disk and its server, now.
  package var status: SyncStatus { state.withLock { $0.status.naming($0.machine.pending) } }

  /// The newest conflicts, oldest first.
  package var conflicts: [Conflict] { state.withLock { $0.machine.conflicts } }

  /// The edits that the server has permanently rejected, by document.
  package var rejections: [Rejection] { state.withLock { $0.machine.rejections } }

  package func rejection(of id: String) -> Rejection? { state.withLock { $0.machine.rejection(of: id) } }

  // MARK: Broadcasts

  /// Every change of the value from now on.
  ///
  /// - Parameter merged: whether those that come while the subscriber is busy are one.
  package func subscribeToChanges(merged: Bool) -> BroadcastSubscription<ValueChange> {
    state.withLock { _ in changes.subscribe(merged: merged) }
  }

  /// The value now, and after every change.
  package func subscribeToValues() -> BroadcastSubscription<ValueChange> {
    state.withLock { state in
      let now = SnapshotOverlay(state.machine.visible)
      return changes.subscribe(first: ValueChange(ids: [], old: now, new: now, isFirst: true))
    }
  }

  /// The status now, and after every change of it.
  package func subscribeToStatuses() -> BroadcastSubscription<SyncStatus> {
    state.withLock { state in statuses.subscribe(first: state.status.naming(state.machine.pending)) }
  }

  /// Every conflict from now on; those that come while the subscriber is busy arrive together.
  package func subscribeToConflicts() -> BroadcastSubscription<[Conflict]> {
    state.withLock { _ in conflictUpdates.subscribe() }
  }

  // MARK: Control

  /// Talks to the server again, or at once instead of after a backoff.
  package func resume() { if transport != nil { handle(.connect) } }

  /// Stops talking to the server.
  package func pause() { handle(.disconnect) }

  /// Reads everything anew from the server.
  package func resync(discardingPending: Bool) { handle(.resync(discardingPending: discardingPending)) }

  package func discard(_ rejection: Rejection) { handle(.discardRejection(rejection)) }

  /// Returns once a first attempt to hear of the server has ended, well or not.
  package func ready(timeout: Duration?) async throws {
    try await firstAttempt.wait(timeout, configuration.clock, "The first sync did not end")
  }
}
