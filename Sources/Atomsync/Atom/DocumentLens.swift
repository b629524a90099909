internal import AtomsyncEngine

/// One document of an atom, with an atom's verbs.
///
/// ```swift
/// let milk = atom.document("todo:1")
/// try milk.swap { $0?.done = true }
/// milk.value?.done
/// for await value in milk.values { show(value) }
/// ```
public struct DocumentLens<Element: Codable & Sendable>: Sendable {
  /// The atom that the document belongs to.
  public let atom: SyncedAtom<Element>
  /// The document's id.
  public let id: String

  /// A change of the document.
  public struct Change: Sendable {
    /// The document before; `nil` when there was none, or when it was no `Element`.
    public let old: Element?
    /// The document after; `nil` when it was deleted, or when it is no `Element`.
    public let new: Element?
  }

  /// The document as it is now; `nil` when there is none, or when it is no `Element`. O(1)
  public var value: Element? { atom.value[id] }

  /// Changes the document: what `body` makes of its argument; `nil` deletes it.
  ///
  /// - Throws: as ``SyncedAtom/swap(atomic:_:)``; `DecodingError` when the document is no `Element`.
  @discardableResult
  public func swap(_ body: @escaping @Sendable (inout Element?) throws -> Void) throws -> Receipt {
    try atom.swap { [id] documents in
      var value = try documents.decoded(id)
      try body(&value)
      documents[id] = value
    }
  }

  /// Makes the document this one, whatever it was; `nil` deletes it.
  @discardableResult
  public func reset(to new: Element?) throws -> Receipt {
    try atom.swap { [id] documents in
      if new == nil || documents[id] == nil { documents.remove(id) }
      documents[id] = new
    }
  }

  /// Changes the document if it is as expected; see ``SyncedAtom/compareAndSet(_:expecting:to:)``.
  @discardableResult
  public func compareAndSet(expecting expected: Element?, to new: Element?) throws -> Receipt? {
    try atom.compareAndSet(id, expecting: expected, to: new)
  }

  /// Every change of the document from now on, each for itself.
  public var changes: WatchSequence<Change> {
    WatchSequence(atom.replica.subscribeToChanges(merged: false)) { [id, documents = atom.documents] change in
      change.ids.contains(id)
        ? Change(old: documents(change.old)[id], new: documents(change.new)[id]) : nil
    }
  }

  /// The document now, and after its changes; those that come while the watcher is busy are one.
  public var values: WatchSequence<Element?> {
    WatchSequence(atom.replica.subscribeToValues()) { [id, documents = atom.documents] change in
      change.isFirst || change.ids.contains(id) ? .some(documents(change.new)[id]) : nil
    }
  }

  /// Calls `body` with every change from now on, one after the other, on a task of its own.
  ///
  /// - Returns: the watch, which ends when it is cancelled or the atom closes. Keeping it is not needed.
  @discardableResult
  public func watch(_ body: @escaping @Sendable (Change) async -> Void) -> Task<Void, Never> {
    let changes = changes
    return Task { for await change in changes { await body(change) } }
  }
}

extension SyncedAtom {
  /// One of the atom's documents, whether it is there or not.
  public func document(_ id: String) -> DocumentLens<Element> { DocumentLens(atom: self, id: id) }
}
