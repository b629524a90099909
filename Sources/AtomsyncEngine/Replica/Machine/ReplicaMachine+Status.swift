internal import AtomsyncCore
internal import Foundation
package import HashTreeCollections
internal import Transit

extension ReplicaMachine {
  /// The state as Docs/Replica.md names it. What a replica still does while it is offline, waits or has stopped
  /// (saving a page, freezing a push) goes on in the background of that state.
  package enum Phase: String, Sendable, CaseIterable {
    case offline
    case waiting
    case pulling
    case saving
    case freezing
    case pushing
    case live
    case polling
    case stopped
  }

  package var phase: Phase {
    switch (session.link, session.activity) {
    case (.stopped, _): .stopped
    case (.offline, _): .offline
    case (.waiting, _): .waiting
    case (.connected, .pulling): .pulling
    case (.connected, .saving): .saving
    case (.connected, .freezing): .freezing
    case (.connected, .pushing): .pushing
    case (.connected(.polling), .idle): .polling
    case (.connected, .idle): .live
    }
  }

  /// Why nothing can be written any more, if so.
  var end: StopReason? { session.end }

  /// The atom's value.
  package var visible: DocumentTree { content.documents.visible }

  /// The documents with pending edits, and since when.
  package var pending: TreeDictionary<String, Int64> { content.documents.pending }

  /// The part of the status that the machine knows, without the pending edits themselves. O(1)
  package func status() -> SyncStatus {
    var status = SyncStatus(
      connection: connection, unsavedCount: Int(lastTicket - savedTicket),
      pendingCount: content.documents.pending.count,
      inFlightCount: content.inFlight?.entries.count ?? 0, rejectedCount: content.rejections.count,
      openConflictCount: content.openConflicts.count, hasSynced: content.record.hasSynced,
      isRevoked: content.record.isRevoked, lastPull: lastPull.map { Date(milliseconds: $0) },
      lastPush: lastPush.map { Date(milliseconds: $0) }, lastError: session.error?.description)
    status.unopenedCount = content.seals.unopened.count
    status.outdatedCount = content.seals.outdatedCount
    return status
  }

  private var connection: SyncStatus.Connection {
    switch session.link {
    case .offline: .offline
    case .waiting: .waiting
    case .stopped(let reason): .stopped(reason)
    case .connected(.live(let stream)): stream.isOpen ? .live : .pulling
    case .connected(.polling): .polling
    case .connected(.none): .pulling
    }
  }

  /// The edits that the server has permanently rejected, by document.
  package var rejections: [Rejection] {
    content.rejections.values.map(\.rejection).sorted { $0.document < $1.document }
  }

  package func rejection(of id: String) -> Rejection? { content.rejections[id]?.rejection }

  /// The newest conflicts, oldest first.
  package var conflicts: [Conflict] { content.conflicts.all }

  /// Edits up to this one were made by earlier processes.
  var lastEdit: Int64 { content.record.edit }

  /// The edits of a document that have no verdict yet, as one.
  func pendingEdits(of id: String) -> ClosedRange<Int64>? {
    content.documents[id]?.pending.map { $0.firstEdit...$0.edit }
  }

  /// For how long the atom has been in use, in milliseconds.
  var age: Int64 { content.record.age }
}
