internal import AtomsyncCore
internal import HashTreeCollections
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
  /// The documents, but for the last assignments.
  private var settled: TreeDictionary<String, TransitValue>
  /// The last assignments; `nil` is a deletion. Most swaps make one or two: to put them into a shared tree would copy
  /// the path to each, only for the atom to change its own tree once more.
  private var fresh: [String: TransitValue?] = [:]
  private static var mostFresh: Int { 16 }
  /// The documents that were assigned to before those.
  private var touched: Set<String> = []
  /// The first assignment that could not be made.
  private(set) var failure: (any Error)?
  /// The snapshot that the assignments were made on, if it is a swap's.
  private var origin: Origin?

  /// One revision of one atom.
  struct Origin: Equatable {
    var atom: ObjectIdentifier
    var revision: Int
  }

  init(_ tree: TreeDictionary<String, TransitValue>, _ origin: Origin? = nil) {
    settled = tree
    self.origin = origin
  }

  /// No documents.
  public init() { settled = [:] }

  /// All documents.
  var tree: TreeDictionary<String, TransitValue> {
    var tree = settled
    for (id, value) in fresh { tree[id] = value }
    return tree
  }

  /// The ids of the documents that a swap of a snapshot has changed, in order: those that were assigned to, or all that
  /// differ when the swap has put other documents in place of its argument.
  func changed(since snapshot: TreeDictionary<String, TransitValue>, _ origin: Origin) -> [String] {
    if self.origin != origin {
      let tree = tree
      return Set(snapshot.keys).union(tree.keys).filter { snapshot[$0] != tree[$0] }.sorted()
    }
    if touched.isEmpty && fresh.count == 1 { return Array(fresh.keys) }
    return touched.union(fresh.keys).sorted()
  }

  /// Puts a document in as it is; `nil` deletes.
  mutating func assign(_ value: TransitValue?, to id: String) {
    fresh[id] = .some(value)
    guard fresh.count > Self.mostFresh else { return }
    settled = tree
    touched.formUnion(fresh.keys)
    fresh = [:]
  }

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
        assign(value, to: id)
      } catch {
        if failure != nil { return }
        failure =
          error as? SyncError ?? SyncError(.invalidDocument, "The document \(id) cannot be encoded: \(error)")
      }
    }
  }

  /// The document `id`, or `default` when there is none.
  public subscript(id: String, default default: @autoclosure () -> Element) -> Element {
    get { self[id] ?? `default`() }
    set { self[id] = newValue }
  }

  /// The document `id` as it is stored; `nil` when there is none.
  public func transit(_ id: String) -> TransitValue? {
    if !fresh.isEmpty, let value = fresh[id] { return value }
    return settled[id]
  }

  /// The document `id`, or the error that keeps it from being decoded; `nil` when there is none.
  public func decoded(_ id: String) throws -> Element? {
    try transit(id).map { try ElementCoding.decode($0) }
  }

  public func contains(_ id: String) -> Bool { transit(id) != nil }
  public var count: Int { fresh.isEmpty ? settled.count : tree.count }
  public var isEmpty: Bool { count == 0 }
  /// The ids of all documents, in no particular order that lasts.
  public var ids: some Collection<String> & Sendable { tree.keys }

  /// Deletes the document `id`.
  public mutating func remove(_ id: String) { self[id] = nil }

  /// Deletes every document. O(n)
  public mutating func removeAll() {
    touched.formUnion(settled.keys)
    touched.formUnion(fresh.keys)
    settled = [:]
    fresh = [:]
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
