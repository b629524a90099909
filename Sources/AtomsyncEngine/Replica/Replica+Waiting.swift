internal import AtomsyncCore

/// Somebody who waits for the verdicts on an edit.
final class ConfirmationWait: Sendable {
  private let edit: Int64
  private let state: Lock<(missing: Set<String>, verdicts: [String: Verdict])>
  let promise = Promise<[String: Verdict]>()

  init(_ edit: Int64, missing: Set<String>, known: [String: Verdict]) {
    self.edit = edit
    state = Lock((missing, known))
    if missing.isEmpty { promise.complete(.success(known)) }
  }

  var isComplete: Bool { state.withLock { $0.missing.isEmpty } }

  func take(_ settled: ReplicaEffects.Settled) {
    guard settled.first <= edit && edit <= settled.edit else { return }
    let verdicts = state.withLock { state -> [String: Verdict]? in
      guard state.missing.remove(settled.id) != nil else { return nil }
      state.verdicts[settled.id] = settled.verdict
      return state.missing.isEmpty ? state.verdicts : nil
    }
    if let verdicts { promise.complete(.success(verdicts)) }
  }
}

extension Replica {
  /// Returns once the rows up to `ticket` are durable; throws when the store fails to make them so.
  package func waitUntilSaved(_ ticket: Int64, timeout: Duration?) async throws {
    let promise = Promise<Void>()
    let isWaiting = try state.withLock { state in
      if state.machine.savedTicket >= ticket { return false }
      // Nobody tries again.
      if state.machine.end != nil, let error = state.storageError { throw SyncError(error) }
      state.saves.append((ticket, promise))
      return true
    }
    guard isWaiting else { return }
    defer { state.withLock { state in state.saves.removeAll { $0.promise === promise } } }
    try await promise.wait(timeout, configuration.clock, "The change was not durable")
  }

  /// The same through failures of the store that pass.
  private func waitHoweverLong(until ticket: Int64) async throws {
    while true {
      do { return try await waitUntilSaved(ticket, timeout: nil) } catch let error as SyncError {
        let isOver = state.withLock { $0.machine.end != nil }
        if error.code != .storage || isOver { throw error }
      }
    }
  }

  /// Returns once an edit that this process or an earlier one made is durable; throws when it is lost.
  package func waitUntilSaved(edit: Int64, of documents: Set<String>, timeout: Duration?) async throws {
    try await within(timeout, configuration.clock, "The change was not durable") {
      let (ticket, pending) = self.state.withLock { state in
        (
          state.machine.lastTicket,
          documents.filter { state.machine.pendingEdits(of: $0)?.contains(edit) ?? false }
        )
      }
      try await self.waitUntilSaved(ticket, timeout: nil)
      for document in documents.subtracting(pending) {
        if try await self.verdict(on: edit, of: document) == nil { throw Self.unknown(edit, document) }
      }
    }
  }

  /// The verdict on an edit by its row.
  private func verdict(on edit: Int64, of id: String) async throws -> Verdict? {
    var search = VerdictSearch(keys, edit, of: id)
    while let scan = search.scan { try search.advance(try await storage.scan(scan)) }
    return search.verdict
  }

  private static func unknown(_ edit: Int64, _ id: String) -> SyncError {
    SyncError(
      .unsettled,
      "Nothing is known of edit \(edit) of \(id): it was lost before it was durable, is older than the retention, "
        + "or is of another store.")
  }

  /// The verdicts on `edit`, once all are known.
  package func waitUntilConfirmed(
    _ edit: Int64, _ ids: Set<String>, timeout: Duration?
  ) async throws -> [String: Verdict] {
    try await within(timeout, configuration.clock, "The server did not confirm the change") {
      try await self.waitUntilConfirmed(edit, ids)
    }
  }

  private func waitUntilConfirmed(_ edit: Int64, _ ids: Set<String>) async throws -> [String: Verdict] {
    // What is the last edit of its document has no verdict yet; of an earlier one there may be a row, even while
    // later edits are pending.
    let earlier = state.withLock { state in
      ids.filter { state.machine.pendingEdits(of: $0)?.upperBound != edit }
    }
    var verdicts = try await durableVerdicts(on: edit, of: earlier)
    let rest = ids.subtracting(verdicts.keys)
    let (wait, settled) = try state.withLock { state -> (ConfirmationWait, Set<String>) in
      let missing = rest.filter { state.machine.pendingEdits(of: $0)?.contains(edit) ?? false }
      if !missing.isEmpty, let end = state.machine.end { throw SyncError.stopped(end) }
      let wait = ConfirmationWait(edit, missing: missing, known: verdicts)
      if !missing.isEmpty { state.confirmations.append(wait) }
      return (wait, rest.subtracting(missing))
    }
    defer { state.withLock { state in state.confirmations.removeAll { $0 === wait } } }
    verdicts = try await durableVerdicts(on: edit, of: settled)
    if let id = settled.subtracting(verdicts.keys).min() { throw Self.unknown(edit, id) }
    return verdicts.merging(try await wait.promise.wait()) { $1 }
  }

  /// The verdicts on an edit that are known, once they are durable.
  private func durableVerdicts(on edit: Int64, of ids: Set<String>) async throws -> [String: Verdict] {
    if ids.isEmpty { return [:] }
    try await waitHoweverLong(until: state.withLock { $0.machine.lastTicket })
    var verdicts: [String: Verdict] = [:]
    for id in ids { verdicts[id] = try await verdict(on: edit, of: id) }
    return verdicts
  }

  /// Talks to the server now; returns once everything that can be settled is.
  package func sync(timeout: Duration?) async throws {
    let promise = Promise<Void>()
    // Under one lock, or the end of an earlier pass would be taken for the end of this one.
    handle(.sync) { $0.passes.append(promise) }
    defer { state.withLock { state in state.passes.removeAll { $0 === promise } } }
    try await promise.wait(timeout, configuration.clock, "The sync did not end")
  }

  /// Ends everything; durable rows that are still to come are the commit queue's.
  package func close(timeout: Duration?) async {
    handle(.close)
    release()
    let ticket = state.withLock { $0.machine.lastTicket }
    // A failure is told by the client's `close`, which closes the queue.
    try? await waitUntilSaved(ticket, timeout: timeout)
    guard let transport else { return }
    let closed = Promise<Void>()
    Task {
      await transport.close()
      closed.complete(.success(()))
    }
    try? await closed.wait(timeout, configuration.clock, "The transport did not close")
  }

  /// Cancels what runs, and ends what watches and waits.
  func release() {
    let (releases, waits) = state.withLock { state in
      state.tasks.cancelAll()
      defer { state.confirmations = [] }
      return (state.takeReleases(), state.confirmations)
    }
    releases.release()
    changes.finish()
    statuses.finish()
    conflictUpdates.finish()
    for wait in waits { wait.promise.complete(.failure(SyncError.stopped(.closed))) }
  }
}
