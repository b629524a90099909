internal import AtomsyncCore
internal import HashTreeCollections
public import Transit

/// The value of an atom: documents by id, at one moment.
///
/// A snapshot: it never changes under you, and taking one is O(1) however many documents there are. Reading a
/// document is O(1), changing one O(log n). Inside ``SyncedAtom/swap(atomic:_:)`` it is what you change.
///
/// Documents are kept as Transit values and decoded when they are read. One that cannot be decoded as `Element`
/// (written by a newer version of an app, say) reads as `nil`, is still named by ``ids``, and is untouched unless you
/// assign to its id; ``transit(_:)`` shows what it holds.
public struct Documents<Element: Codable & Sendable>: Sendable {
  var tree: TreeDictionary<String, TransitValue>
  /// The documents that were assigned to.
  var touched: Set<String> = []
  /// The first assignment that could not be made.
  var failure: SyncError?

  init(_ tree: TreeDictionary<String, TransitValue>) { self.tree = tree }

  /// No documents.
  public init() { tree = [:] }

  /// The document `id`; `nil` when there is none, or when it is no `Element`. Assigning `nil` deletes it.
  ///
  /// An assignment that cannot be made (an id against the rules of ``AtomsyncCore/Names``, a value that cannot be
  /// encoded) changes nothing and makes the swap throw.
  public subscript(id: String) -> Element? {
    get { tree[id].flatMap { try? ElementCoding.decode($0) } }
    set {
      do {
        if let problem = Names.problem(id: id) { throw SyncError(.invalidDocument, problem) }
        let value = try newValue.map { try ElementCoding.encode($0) }
        if value == nil && tree[id] == nil { return }
        tree[id] = value
        touched.insert(id)
      } catch {
        failure =
          failure ?? error as? SyncError
          ?? SyncError(.invalidDocument, "The document \(id) cannot be encoded: \(error)")
      }
    }
  }

  /// The document `id`, or `default` when there is none.
  public subscript(id: String, default default: @autoclosure () -> Element) -> Element {
    get { self[id] ?? `default`() }
    set { self[id] = newValue }
  }

  /// The document `id` as it is stored; `nil` when there is none.
  public func transit(_ id: String) -> TransitValue? { tree[id] }

  /// The document `id`, or the error that keeps it from being decoded; `nil` when there is none.
  public func decoded(_ id: String) throws -> Element? { try tree[id].map { try ElementCoding.decode($0) } }

  public func contains(_ id: String) -> Bool { tree[id] != nil }
  public var count: Int { tree.count }
  public var isEmpty: Bool { tree.isEmpty }
  /// The ids of all documents, in no particular order that lasts.
  public var ids: some Collection<String> & Sendable { tree.keys }

  /// Deletes the document `id`.
  public mutating func remove(_ id: String) { self[id] = nil }

  /// Deletes every document. O(n)
  public mutating func removeAll() {
    touched.formUnion(tree.keys)
    tree = [:]
  }
}

extension Documents: Sequence {
  /// The documents that can be decoded, each with its id, in no particular order that lasts.
  public func makeIterator() -> AnyIterator<(id: String, value: Element)> {
    var iterator = tree.makeIterator()
    return AnyIterator {
      while let (id, value) = iterator.next() {
        if let element: Element = try? ElementCoding.decode(value) { return (id, element) }
      }
      return nil
    }
  }
}

extension Documents: Equatable {
  /// The same documents with equal values. O(what differs), mostly.
  public static func == (left: Documents, right: Documents) -> Bool { left.tree == right.tree }
}

extension Documents: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, Element)...) {
    self.init()
    for (id, value) in elements { self[id] = value }
  }
}

/// Between an application's type and Transit. Values that are Transit already pass through.
enum ElementCoding {
  static func encode<Element: Codable & Sendable>(_ element: Element) throws -> TransitValue {
    if let value = element as? TransitValue { return value }
    return try TransitEncoder().encode(element)
  }

  static func decode<Element: Codable & Sendable>(_ value: TransitValue) throws -> Element {
    if let element = value as? Element { return element }
    return try TransitDecoder().decode(Element.self, from: value)
  }
}
