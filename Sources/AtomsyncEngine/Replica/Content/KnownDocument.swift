internal import Transit

/// What a replica knows of one document: what the server has said of it, and what was made of it here.
///
/// What it shows follows from the two, and is stored nowhere. Equality is that of what is visible, because that is what
/// snapshots are compared by.
package struct KnownDocument: Equatable, Sendable {
  var base: BaseDocument?
  private var edit: Edit?

  /// Most documents have no pending edit, so it lies in memory of its own.
  private indirect enum Edit { case pending(PendingEdit) }

  var pending: PendingEdit? {
    get { if case .pending(let edit) = edit { edit } else { nil } }
    set { edit = newValue.map { .pending($0) } }
  }

  /// When the first pending edit was made, in milliseconds since 1970.
  var pendingSince: Int64? { if case .pending(let edit) = edit { edit.made } else { nil } }
  var isUnknown: Bool { base == nil && edit == nil }

  /// The value that is to be seen, *base ⊕ pending*; `nil` when the document is not there, or no more.
  var visible: StoredValue? { if case .pending(let edit) = edit { edit.value } else { base?.value } }
  var isVisible: Bool { visible != nil }

  package static func == (left: KnownDocument, right: KnownDocument) -> Bool {
    left.visible?.value == right.visible?.value
  }
}
