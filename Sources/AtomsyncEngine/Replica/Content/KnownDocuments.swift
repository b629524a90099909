package import HashTreeCollections

/// Documents by id, in a persistent tree: a copy of it is a snapshot, in O(1).
package typealias DocumentTree = TreeDictionary<String, KnownDocument>

/// All that a replica knows, each document once.
///
/// The trees are changed in place unless somebody holds a snapshot: then what a change touches is copied, once for each
/// snapshot.
struct KnownDocuments: Sendable {
  /// Those that are there: the atom's value.
  private(set) var visible: DocumentTree = [:]
  /// Those that are not, and few: deletions that the server has not confirmed, tombstones whose page has not come.
  private var hidden: DocumentTree = [:]
  /// The documents with a pending edit, and since when they have one.
  private(set) var pending: TreeDictionary<String, Int64> = [:]

  subscript(id: String) -> KnownDocument? {
    if !hidden.isEmpty, let document = hidden[id] { return document }
    return visible[id]
  }

  /// The ids of the documents that are so, visible or not. O(documents)
  func ids(where condition: (KnownDocument) -> Bool) -> [String] {
    [visible, hidden].flatMap { $0.compactMap { id, document in condition(document) ? id : nil } }
  }

  /// The ids of those documents that are not there, and are so. O(what is not there)
  func hiddenIDs(where condition: (KnownDocument) -> Bool) -> [String] {
    hidden.compactMap { id, document in condition(document) ? id : nil }
  }

  /// Changes what is known of a document, in place if it is there before and after. One that nothing was known of comes
  /// to `body` empty.
  @inline(__always)
  mutating func update<Result>(_ id: String, _ body: (inout KnownDocument) -> Result) -> Result {
    if !hidden.isEmpty, var document = hidden.removeValue(forKey: id) {
      let change = Change(&document, body)
      note(change.pendingBefore, change.pendingSince, id)
      place(document, id)
      return change.result
    }
    let change = Change(&visible[id, default: KnownDocument()], body)
    note(change.pendingBefore, change.pendingSince, id)
    if !change.isVisible, let document = visible.removeValue(forKey: id) { place(document, id) }
    return change.result
  }

  /// A change that was made, and what it made of a document.
  private struct Change<Result> {
    let pendingBefore: Int64?
    let result: Result
    let pendingSince: Int64?
    let isVisible: Bool

    @inline(__always)
    init(_ document: inout KnownDocument, _ body: (inout KnownDocument) -> Result) {
      pendingBefore = document.pendingSince
      result = body(&document)
      pendingSince = document.pendingSince
      isVisible = document.isVisible
    }
  }

  @inline(__always)
  private mutating func note(_ before: Int64?, _ after: Int64?, _ id: String) {
    if before != after { pending[id] = after }
  }

  private mutating func place(_ document: KnownDocument, _ id: String) {
    if document.isVisible {
      visible[id] = document
    } else if !document.isUnknown {
      hidden[id] = document
    }
  }
}
