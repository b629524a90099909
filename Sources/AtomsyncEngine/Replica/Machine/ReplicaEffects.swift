package import AtomsyncCore

/// What the driver has to do after an event, all of it.
package struct ReplicaEffects: Sendable {
  package enum Action: Sendable {
    case pull(request: Int, PullRequest)
    case push(request: Int, OutgoingPush)
    /// Nobody waits for the request's answer any more.
    case abandon(request: Int)
    case openLive(stream: Int, PullRequest)
    case closeLive(stream: Int)
    /// The stream's last page is durable: read the next.
    case readOn(stream: Int)
    /// Fire the timer after the wait; an earlier one of its kind is void.
    case startTimer(ReplicaTimer, ReplicaWait)
    case cancelTimer(ReplicaTimer.Kind)
    case merge(MergeTask)
    /// The pass that `sync` asked for has ended: well, or with an error.
    case passEnded(SyncError?)
    /// The first attempt to reach the server since the start has ended, one way or the other.
    case firstAttemptEnded
  }

  package struct Settled: Sendable, Equatable {
    package var id: String
    /// The first edit that the verdict is on.
    package var first: Int64
    /// The last one.
    package var edit: Int64
    package var verdict: Verdict
  }

  /// Rows to be committed as one batch, in the order of tickets; empty when nothing was changed.
  package var batch = StorageBatch()
  /// The batch's ticket; `nil` when the batch is empty.
  package var ticket: Int64?
  package var actions: [Action] = []
  /// The documents that show something else than before.
  package var changed: Set<String> = []
  package var settled: [Settled] = []
  package var conflicts: [Conflict] = []
  /// The number of the local edit that the event was.
  package var edit: Int64?
  /// The documents that it changed.
  package var edited: Set<String> = []

  package init() {}
}
