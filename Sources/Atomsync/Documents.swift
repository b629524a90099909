internal import AtomsyncCore
internal import AtomsyncEngine
public import Transit

/// The value of an atom: documents by id, at one moment.
///
/// A snapshot: it never changes under you, and taking one is O(1) however many documents there are. Reading and
/// changing a document are O(1) as well, up to a factor of log n. Inside ``SyncedAtom/swap(atomic:_:)`` it is what
/// you change.
///
/// Documents are kept as Transit values and decoded when they are read. One that cannot be decoded as `Element`
/// (written by a newer version of an app, say) reads as `nil`, is still named by ``ids``, and is untouched unless you
/// assign to its id; ``transit(_:)`` shows what it holds.
public struct Documents<Element: Codable & Sendable>: Sendable {
  private(set) var overlay: SnapshotOverlay
  /// The first assignment that could not be made.
  private(set) var failure: (any Error)?

  init(_ overlay: SnapshotOverlay) { self.overlay = overlay }

  /// No documents.
  public init() { overlay = SnapshotOverlay() }

  /// The document `id`; `nil` when there is none, or when it is no `Element`. Assigning `nil` deletes it.
  ///
  /// An assignment that cannot be made (an id against the rules of ``AtomsyncCore/Names``, a value that cannot be
  /// encoded) changes nothing and makes the swap throw.
  public subscript(id: String) -> Element? {
    get { transit(id).flatMap { try? ElementCoding.decode($0) } }
    set {
      do {
        if let problem = Names.problem(id: id) { throw SyncError(.invalidDocument, problem) }
        let value = try newValue.map { try ElementCoding.encode($0) }
        if value == nil && transit(id) == nil { return }
        overlay[id] = value
      } catch {
        if failure != nil { return }
        failure =
          error as? SyncError ?? SyncError(.invalidDocument, "The document \(id) cannot be encoded: \(error)")
      }
    }
  }

  /// Assigns a document as it is stored, with what this version of the application may not know of it.
  mutating func put(_ value: TransitValue?, as id: String) { overlay[id] = value }

  /// The document `id`, or `default` when there is none.
  public subscript(id: String, default default: @autoclosure () -> Element) -> Element {
    get { self[id] ?? `default`() }
    set { self[id] = newValue }
  }

  /// The document `id` as it is stored; `nil` when there is none.
  public func transit(_ id: String) -> TransitValue? { overlay[id] }

  /// The document `id`, or the error that keeps it from being decoded; `nil` when there is none.
  public func decoded(_ id: String) throws -> Element? {
    try transit(id).map { try ElementCoding.decode($0) }
  }

  public func contains(_ id: String) -> Bool { transit(id) != nil }
  /// O(1), and O(what was assigned) in the middle of a swap.
  public var count: Int { overlay.count }
  public var isEmpty: Bool { count == 0 }
  /// The ids of all documents, in no particular order that lasts. O(n)
  public var ids: [String] { overlay.ids }

  /// Deletes the document `id`.
  public mutating func remove(_ id: String) { self[id] = nil }

  /// Deletes every document. O(n)
  public mutating func removeAll() { overlay.removeAll() }
}

extension Documents: Sequence {
  /// The documents that can be decoded, each with its id, in no particular order that lasts.
  public func makeIterator() -> AnyIterator<(id: String, value: Element)> {
    let documents = overlay.makeIterator()
    return AnyIterator {
      while let (id, value) = documents.next() {
        if let element: Element = try? ElementCoding.decode(value) { return (id, element) }
      }
      return nil
    }
  }
}

extension Documents: Equatable {
  /// The same documents with equal values. O(what differs), mostly; O(n) when something was assigned to either.
  public static func == (left: Documents, right: Documents) -> Bool { left.overlay == right.overlay }
}

extension Documents: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, Element)...) {
    self.init()
    for (id, value) in elements { self[id] = value }
  }
}

/// Between an application's type and Transit. Values that are Transit already pass through, without the microseconds
/// that a cast takes: the types were compared just before, so the bits are that type's.
enum ElementCoding {
  static func encode<Element: Codable & Sendable>(_ element: Element) throws -> TransitValue {
    if Element.self == TransitValue.self { return unsafeBitCast(element, to: TransitValue.self) }
    return try TransitEncoder().encode(element)
  }

  static func decode<Element: Codable & Sendable>(_ value: TransitValue) throws -> Element {
    if Element.self == TransitValue.self { return unsafeBitCast(value, to: Element.self) }
    return try TransitDecoder().decode(Element.self, from: value)
  }
}
