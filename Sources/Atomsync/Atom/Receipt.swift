public import AtomsyncEngine

/// What a swap hands back: the way to learn when it is durable here, and what the server said.
///
/// Nobody has to ask: a swap is saved and sent all the same.
public struct Receipt: Sendable, Identifiable {
  /// Names the swap beyond the life of the process, for ``SyncedAtom/receipt(_:)``.
  public struct ID: Sendable, Hashable, Codable {
    /// Rises with each swap of the atom; 0 when nothing was changed.
    public let edit: Int64
    /// The documents that the swap wrote.
    public let documents: Set<String>
  }

  /// The swap's name. It can be stored: ``SyncedAtom/receipt(_:)`` makes a receipt of it again.
  public let id: ID
  /// `nil` when the receipt was restored from an id.
  private let ticket: Int64?
  private let replica: Replica

  init(_ id: ID, _ ticket: Int64?, _ replica: Replica) {
    self.id = id
    self.ticket = ticket
    self.replica = replica
  }

  /// Returns once the swap is durable on this machine.
  ///
  /// - Throws: `SyncError` with code `storage` when the store failed to save it (the disk is full, say). It is kept
  ///   in memory and tried again until it succeeds or the atom closes; ask again to learn which. `unsettled` when the
  ///   receipt is an earlier process's, which ended before the swap was durable. `timedOut`; `CancellationError`.
  public func saved(timeout: Duration? = .seconds(30)) async throws {
    if let ticket {
      try await replica.waitUntilSaved(ticket, timeout: timeout)
    } else {
      try await replica.waitUntilSaved(edit: id.edit, of: id.documents, timeout: timeout)
    }
  }

  /// Returns the server's verdict on each document of the swap, once all are known and durable here: as soon as the
  /// server can be reached, so perhaps much later.
  ///
  /// - Throws: `SyncError` (`timedOut`; `unsettled` when nothing is known of the swap any more; `stopped` when the
  ///   atom closes first; `storage` when nothing can be made durable any more); `CancellationError`.
  public func confirmed(timeout: Duration? = nil) async throws -> Confirmation {
    guard id.edit > 0 else { return Confirmation(verdicts: [:]) }
    return Confirmation(
      verdicts: try await replica.waitUntilConfirmed(id.edit, id.documents, timeout: timeout))
  }
}

/// The server's verdicts on a swap.
public struct Confirmation: Sendable, Hashable {
  /// By document.
  public var verdicts: [String: Verdict]

  /// The server has accepted every document.
  public var isAccepted: Bool { verdicts.values.allSatisfy(\.isAccepted) }
}
