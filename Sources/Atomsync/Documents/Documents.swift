internal import AtomsyncCore
internal import AtomsyncEngine
public import Transit

/// The value of an atom: documents by id, at one moment.
///
/// A snapshot: it never changes under you, and taking one is O(1) however many documents there are. Reading and
/// changing a document are O(1) as well, up to a factor of log n. Inside ``SyncedAtom/swap(atomic:_:)`` it is what
/// you change.
///
/// Documents are kept as Transit values, and decoded when they are read for the first time. One that cannot be decoded as `Element`
/// (written by a newer version of an app, say) reads as `nil`, is named by ``ids`` and ``undecodable``, and is untouched unless you
/// assign to its id; ``transit(_:)`` shows what it holds. What a decoded document has beside what `Element` knows (fields of a newer
/// version of an app) is kept when it is assigned anew, at every depth: in arrays, elements are found again by what they are, by their `id`, or by
/// their place.
public struct Documents<Element: Codable & Sendable>: Sendable {
  private(set) var overlay: SnapshotOverlay
  private let decodings: DecodedDocuments<Element>
  /// The ids that these are; others are not seen.
  private let prefix: String
  /// The first assignment that could not be made.
  private(set) var failure: (any Error)?

  init(_ overlay: SnapshotOverlay, _ decodings: DecodedDocuments<Element>, prefix: String) {
    self.overlay = overlay
    self.decodings = decodings
    self.prefix = prefix
  }

  /// No documents.
  public init() { self.init(SnapshotOverlay(), DecodedDocuments(), prefix: "") }

  /// The document `id`; `nil` when there is none, or when it is no `Element`. Assigning `nil` deletes it.
  ///
  /// An assignment that cannot be made (an id against the rules of ``AtomsyncCore/Names`` or without the prefix that these documents
  /// have, a value that cannot be encoded) changes nothing and makes the swap throw.
  public subscript(id: String) -> Element? {
    get { try? decoded(id) }
    set {
      trying(id) { documents in
        if let problem = Names.problem(id: id) { throw SyncError(.invalidDocument, problem) }
        if !id.hasPrefix(documents.prefix) {
          throw SyncError(
            .invalidDocument, "The id \(id) does not begin with \(documents.prefix), as all of these do.")
        }
        let old = documents.transit(id)
        let value = try newValue.map {
          try ElementCoding.encode($0, replacing: old) { _ in try documents.decodedThere(id) }
        }
        if value == nil && old == nil { return }
        documents.overlay[id] = value
      }
    }
  }

  /// Notes the first failure.
  private mutating func trying(_ id: String, _ body: (inout Self) throws -> Void) {
    do { try body(&self) } catch {
      if failure != nil { return }
      failure =
        error as? SyncError ?? SyncError(.invalidDocument, "The document \(id) cannot be encoded: \(error)")
    }
  }

  /// Assigns a document as it is stored, with what this version of the application may not know of it.
  mutating func put(_ value: TransitValue?, as id: String) { overlay[id] = value }

  /// The document `id`, or `default` when there is none.
  ///
  /// A document that is there and cannot be decoded reads as `default`. It is not overwritten by a change of that: the swap throws.
  public subscript(id: String, default default: @autoclosure () -> Element) -> Element {
    get { self[id] ?? `default`() }
    set {
      do {
        _ = try decoded(id)
        self[id] = newValue
      } catch {
        let message = "The document \(id) cannot be decoded, so it is not written over by a default: \(error)"
        failure = failure ?? SyncError(.invalidDocument, message)
      }
    }
  }

  /// The document `id` as it is stored; `nil` when there is none.
  public func transit(_ id: String) -> TransitValue? { id.hasPrefix(prefix) ? overlay[id] : nil }

  /// The document `id`, or the error that keeps it from being decoded; `nil` when there is none.
  public func decoded(_ id: String) throws -> Element? {
    transit(id) == nil ? nil : try decodedThere(id)
  }

  /// Whether the document is this one, as far as `Element` knows it; `nil` for one that is not there.
  func holds(_ id: String, _ expected: TransitValue?) -> Bool {
    guard let expected, let stored = transit(id) else { return expected == nil && transit(id) == nil }
    if stored == expected { return true }
    return (try? ElementCoding.encode(decodedThere(id))) == expected
  }

  /// The documents that cannot be decoded as `Element`, with the reasons. O(n)
  public var undecodable: [(id: String, error: any Error)] {
    entries.compactMap { entry in
      if case .failure(let error) = element(entry) { (entry.id, error) } else { nil }
    }
  }

  public func contains(_ id: String) -> Bool { transit(id) != nil }
  /// O(1), and O(what was assigned) in the middle of a swap; O(n) for the documents of a prefix.
  public var count: Int { prefix.isEmpty ? overlay.count : entries.reduce(0) { count, _ in count + 1 } }
  public var isEmpty: Bool { prefix.isEmpty ? overlay.count == 0 : entries.first { _ in true } == nil }
  /// The ids of all documents, in no particular order that lasts. O(n)
  public var ids: [String] { prefix.isEmpty ? overlay.ids : entries.map(\.id) }

  /// Deletes the document `id`.
  public mutating func remove(_ id: String) { self[id] = nil }

  /// Deletes every document. O(n)
  public mutating func removeAll() {
    if prefix.isEmpty { overlay.removeAll() } else { for id in ids { overlay[id] = nil } }
  }

  /// Makes these the documents of others, and keeps what `Element` does not know of those that are there. O(n)
  mutating func become(_ others: Self) {
    for id in ids where !others.contains(id) { overlay[id] = nil }
    for entry in others.entries {
      trying(entry.id) { documents in
        let old = documents.transit(entry.id)
        let value =
          old == nil || Self.areTransit
          ? entry.value
          : try ElementCoding.encode(others.decodedThere(entry.id), replacing: old) { _ in
            try documents.decodedThere(entry.id)
          }
        if value != old { documents.overlay[entry.id] = value }
      }
    }
  }

  // MARK: Parts

  /// Whether the elements need no decoding.
  private static var areTransit: Bool { Element.self == TransitValue.self }

  /// Those with the prefix.
  private var entries: LazyFilterSequence<SnapshotOverlay> {
    overlay.lazy.filter { [prefix] in prefix.isEmpty || $0.id.hasPrefix(prefix) }
  }

  private func element(_ entry: SnapshotOverlay.Entry) -> Result<Element, any Error> {
    decodings.element(entry.id, entry.value, entry.payload, most: overlay.count)
  }

  private func decodedThere(_ id: String) throws -> Element {
    guard let entry = overlay.entry(id) else {
      throw SyncError(.invalidDocument, "There is no document \(id).")
    }
    return try element(entry).get()
  }
}

extension Documents: Sequence {
  /// A document and its id.
  public typealias Pair = (id: String, value: Element)

  /// Goes through the documents that can be decoded. Each is decoded when its turn comes, unless it was before.
  public struct Iterator: IteratorProtocol {
    private enum Source {
      /// Somebody has gone through this revision before.
      case decoded(IndexingIterator<[Pair]>)
      case stored(LazyFilterSequence<SnapshotOverlay>.Iterator)
    }

    private let documents: Documents
    private var source: Source
    /// The revision whose elements are kept for those who go through it again; `nil` where that gains nothing.
    private let revision: SnapshotOverlay.Origin?
    private var found: [Pair] = []

    fileprivate init(_ documents: Documents) {
      self.documents = documents
      revision = areTransit ? nil : documents.overlay.unchangedOrigin
      source =
        documents.decodings.pairs(of: revision).map { .decoded($0.makeIterator()) }
        ?? .stored(documents.entries.makeIterator())
    }

    public mutating func next() -> Pair? {
      switch source {
      case .decoded(var pairs):
        defer { source = .decoded(pairs) }
        return pairs.next()
      case .stored(var entries):
        defer { source = .stored(entries) }
        while let entry = entries.next() {
          guard case .success(let element) = documents.element(entry) else { continue }
          if revision != nil { found.append((entry.id, element)) }
          return (entry.id, element)
        }
        documents.decodings.keep(found, of: revision)
        return nil
      }
    }
  }

  /// The documents that can be decoded, each with its id, in no particular order that lasts.
  public func makeIterator() -> Iterator { Iterator(self) }
}

extension Documents: Equatable {
  /// The same documents with equal values. O(what differs), mostly; O(n) when something was assigned to either, or for the documents of a
  /// prefix.
  public static func == (left: Documents, right: Documents) -> Bool {
    if left.prefix.isEmpty && right.prefix.isEmpty { return left.overlay == right.overlay }
    return left.count == right.count && left.entries.allSatisfy { $0.value == right.transit($0.id) }
  }
}

extension Documents: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, Element)...) {
    self.init()
    for (id, value) in elements { self[id] = value }
  }
}
