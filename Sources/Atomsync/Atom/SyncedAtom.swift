internal import AtomsyncCore
internal import AtomsyncEngine
internal import Transit

/// A group of documents that you swap, read and watch at memory speed, that is durable on this machine at once, and
/// that converges with the server and every other device.
///
/// ```swift
/// let receipt = try todos.swap { $0["todo:1"] = ["text": "Buy milk"] }
/// todos.value["todo:1"]
/// try await receipt.saved()
/// ```
///
/// ## Behavior
/// - ``value`` and ``swap(atomic:_:)`` are synchronous and never wait for the disk or the network.
/// - A swap is written to the local store in one commit, with what must be sent to the server. It is sent when the
///   server can be reached, in the order in which documents were first changed.
/// - What the server has replaces what is here, except for documents with local changes that it has not confirmed.
/// - All methods may be called from any thread or task.
public final class SyncedAtom<Element: Codable & Sendable>: Sendable {
  let replica: Replica
  /// The ids of its documents; others are not seen.
  let prefix: String
  private let decodings = DecodedDocuments<Element>()
  let onClose: @Sendable () -> Void

  init(_ replica: Replica, prefix: String = "", onClose: @escaping @Sendable () -> Void) {
    self.replica = replica
    self.prefix = prefix
    self.onClose = onClose
  }

  /// The name under which the atom is kept.
  public var name: String { replica.name }
  /// The group that it is synced with.
  public var group: String { replica.group }

  /// The documents as they are now, local changes included. O(1)
  public var value: Documents<Element> { Documents(replica.snapshot(), decodings, prefix: prefix) }

  /// What makes documents of a snapshot.
  var documents: @Sendable (SnapshotOverlay) -> Documents<Element> {
    { [decodings, prefix] in Documents($0, decodings, prefix: prefix) }
  }

  /// Changes documents: what `body` does to its argument becomes the atom's value, all of it at once.
  ///
  /// `body` runs on a snapshot, outside every lock, and runs again if the value has changed meanwhile: it must depend
  /// on nothing but its argument. Swapping the same atom in it is such a change: it then sees the new value, and has to
  /// come to rest. It should be short: while others change the atom more often than it takes, it never comes to its end.
  ///
  /// - Parameters:
  ///   - atomic: the server, too, accepts the changes together or not at all.
  ///   - body: changes its argument.
  /// - Throws: what `body` throws, or `SyncError` (`invalidDocument` for a document that cannot be stored, or when more
  ///   documents would have to go together than a push can hold; `stopped`): nothing was changed. O(what is changed)
  @discardableResult
  public func swap(
    atomic: Bool = false, _ body: @escaping @Sendable (inout Documents<Element>) throws -> Void
  ) throws -> Receipt {
    while true {
      let attempt = try attempt(body)
      if let receipt = try commit(attempt, isAtomic: atomic, rerun: body) { return receipt }
    }
  }

  /// Changes documents, and hands on what `body` returns: of the run whose changes were made.
  ///
  /// ```swift
  /// let (wasThere, receipt) = try todos.swapReturning { documents in
  ///   defer { documents.remove("todo:1") }
  ///   return documents.contains("todo:1")
  /// }
  /// ```
  /// Otherwise ``swap(atomic:_:)``, which has not got this under its own name because `{ $0["a"]?.done = true }` returns something as well, an
  /// optional `Void`.
  public func swapReturning<Result: Sendable>(
    atomic: Bool = false, _ body: @escaping @Sendable (inout Documents<Element>) throws -> Result
  ) throws -> (result: Result, receipt: Receipt) {
    while true {
      var result: Result?
      let attempt = try attempt { result = try body(&$0) }
      if let receipt = try commit(attempt, isAtomic: atomic, rerun: { _ = try body(&$0) }), let result {
        return (result, receipt)
      }
    }
  }

  /// Makes the atom's value these documents, each with what `Element` does not know of it. Documents that cannot be decoded as `Element` stay. O(n)
  @discardableResult
  public func reset(to documents: Documents<Element>) throws -> Receipt {
    try swap { $0 = documents }
  }

  /// Changes one document if it is as expected.
  ///
  /// - Parameters:
  ///   - id: the document's id.
  ///   - expected: `nil` for "does not exist".
  ///   - new: `nil` to delete.
  /// - Returns: `nil` when it was something else: nothing was changed.
  @discardableResult
  public func compareAndSet(_ id: String, expecting expected: Element?, to new: Element?) throws -> Receipt? {
    let wanted = try expected.map { try ElementCoding.encode($0) }
    do {
      while true {
        let attempt = try attempt {
          guard $0.holds(id, wanted) else { throw Unexpected() }
          $0[id] = new
        }
        if let receipt = try commit(attempt, isAtomic: false, rerun: nil) { return receipt }
      }
    } catch is Unexpected {
      return nil
    }
  }

  /// What a swap made of one revision.
  private struct Attempt {
    var changes: [(id: String, value: StoredValue?)] = []
    let revision: Int
  }

  /// Runs a swap on a snapshot, which is gone when this returns: while one is held, a change copies what it touches.
  private func attempt(_ body: (inout Documents<Element>) throws -> Void) throws -> Attempt {
    let snapshot = replica.snapshot()
    let overlay = try documents(snapshot).applying(body)
    var attempt = Attempt(revision: snapshot.revision)
    for id in overlay.changed(since: snapshot) {
      do {
        attempt.changes.append((id, try overlay[id].map { try StoredValue($0) }))
      } catch is UnopenedDocument {
        throw SyncError(
          .invalidDocument,
          "What \(id) is to be stands for a document that cannot be opened. It cannot be copied.")
      } catch {
        throw SyncError(.invalidDocument, "The document \(id) cannot be encoded: \(error)")
      }
    }
    return attempt
  }

  /// - Returns: `nil` when the value has changed since the attempt.
  private func commit(
    _ attempt: Attempt, isAtomic: Bool, rerun body: (@Sendable (inout Documents<Element>) throws -> Void)?
  ) throws -> Receipt? {
    var swap: SwapLog.Swap?
    if case .rebase = replica.policy.kind, let body {
      swap = { [documents] overlay in overlay = try documents(overlay).applying(body) }
    }
    guard
      let numbers = try replica.edit(
        attempt.changes, revision: attempt.revision, isAtomic: isAtomic, swap: swap)
    else { return nil }
    return Receipt(Receipt.ID(edit: numbers.edit, documents: numbers.documents), numbers.ticket, replica)
  }

  /// Returns once the local documents are here and a first attempt to hear of the server's has ended, well or not:
  /// at once on an atom without a server, and soon without a network.
  ///
  /// - Throws: `SyncError` (`timedOut`, `stopped`), `CancellationError`.
  public func ready(timeout: Duration? = .seconds(30)) async throws {
    try await replica.ready(timeout: timeout)
  }

  /// Lets go of the atom: stops syncing, ends sequences, waits until its last change is durable. What is pending is
  /// sent when the atom is opened again.
  ///
  /// - Parameter timeout: how long the disk may take, and then the transport. A change that is not durable by then is
  ///   still tried by the client, whose ``AtomsyncClient/close(timeout:)`` tells what became of it.
  public func close(timeout: Duration? = .seconds(30)) async {
    await replica.close(timeout: timeout)
    onClose()
  }
}

/// A document is not what it was expected to be.
private struct Unexpected: Error {}
