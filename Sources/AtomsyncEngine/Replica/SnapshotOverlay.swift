package import AtomsyncCore
internal import HashTreeCollections
package import Transit

/// A snapshot of an atom, and what has been made of it since: what a swap works on.
///
/// Changes are kept beside the snapshot. To put them into its tree would copy the path to each, only for the atom to
/// change its own tree, in place, once more.
package struct SnapshotOverlay: Sendable {
  private let snapshot: DocumentTree
  private let origin: Origin?
  /// What was assigned; `nil` is a deletion.
  private var changes: [String: TransitValue?] = [:]
  /// How many documents there are. O(1)
  package private(set) var count: Int

  /// One revision of one atom.
  package struct Origin: Equatable, Sendable {
    var atom: UInt64
    var revision: Int
  }

  /// The revision that these are exactly the documents of; `nil` when something was assigned.
  package var unchangedOrigin: Origin? { changes.isEmpty ? origin : nil }

  init(_ snapshot: DocumentTree, _ origin: Origin? = nil) {
    self.snapshot = snapshot
    self.origin = origin
    count = snapshot.count
  }

  /// No documents.
  package init() { self.init([:]) }

  /// The revision that this was made of.
  package var revision: Int { origin?.revision ?? 0 }

  package subscript(id: String) -> TransitValue? {
    get {
      if !changes.isEmpty, let value = changes[id] { return value }
      return snapshot[id]?.visible?.value
    }
    set { assign(newValue, to: id, isThere: self[id] != nil) }
  }

  /// - Parameter isThere: whether there is a document `id`, for those who know.
  package mutating func assign(_ value: TransitValue?, to id: String, isThere: Bool) {
    count += (value == nil ? 0 : 1) - (isThere ? 1 : 0)
    changes[id] = .some(value)
  }

  /// A document, and its bytes unless it was assigned here.
  package struct Entry: Sendable {
    package var id: String
    package var value: TransitValue
    package var payload: Payload?
  }

  package func entry(_ id: String) -> Entry? {
    if !changes.isEmpty, let value = changes[id] { return value.map { Entry(id: id, value: $0) } }
    return snapshot[id]?.visible.map { Entry(id: id, value: $0.value, payload: $0.payload) }
  }

  /// All ids, in no particular order. O(n)
  package var ids: [String] { changes.isEmpty ? Array(snapshot.keys) : map(\.id) }

  /// O(n)
  package mutating func removeAll() {
    for id in ids { self[id] = nil }
  }

  /// The ids of what has to change for another overlay to become this, in order: what was assigned, or all that differs when
  /// this was made of something else. O(changes), or O(n).
  package func changed(since other: SnapshotOverlay) -> [String] {
    if origin != nil && origin == other.origin {
      return changes.count == 1 ? Array(changes.keys) : changes.keys.sorted()
    }
    return Set(other.ids).union(ids).filter { other[$0] != self[$0] }.sorted()
  }
}

extension SnapshotOverlay: Sequence {
  package struct Iterator: IteratorProtocol {
    private let changes: [String: TransitValue?]
    private var unchanged: DocumentTree.Iterator
    private var assigned: [String: TransitValue?].Iterator

    fileprivate init(_ overlay: SnapshotOverlay) {
      changes = overlay.changes
      unchanged = overlay.snapshot.makeIterator()
      assigned = overlay.changes.makeIterator()
    }

    package mutating func next() -> Entry? {
      while let (id, document) = unchanged.next() {
        if changes.isEmpty || changes[id] == nil, let visible = document.visible {
          return Entry(id: id, value: visible.value, payload: visible.payload)
        }
      }
      while let (id, value) = assigned.next() {
        if let value { return Entry(id: id, value: value) }
      }
      return nil
    }
  }

  package func makeIterator() -> Iterator { Iterator(self) }
}

extension SnapshotOverlay: Equatable {
  /// O(what differs), mostly, when nothing was assigned; O(n) otherwise.
  package static func == (left: SnapshotOverlay, right: SnapshotOverlay) -> Bool {
    if left.changes.isEmpty && right.changes.isEmpty { return left.snapshot == right.snapshot }
    return left.count == right.count && left.allSatisfy { $0.value == right[$0.id] }
  }
}
