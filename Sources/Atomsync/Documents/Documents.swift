internal import AtomsyncCore
internal import AtomsyncEngine
public import Transit

/// The value of an atom: documents by id, at one moment.
///
/// A snapshot: it never changes under you, and taking one is O(1) however many documents there are. Reading and
/// changing a document are O(1) as well, up to a factor of log n. Inside ``SyncedAtom/swap(atomic:_:)`` it is what
/// you change.
///
/// Documents are kept as Transit values, and decoded when they are read for the first time. `Element` must be a value (a struct or an enum
/// without objects in it): what is handed out is shared.
///
/// A document that cannot be decoded as `Element` (written by a newer version of an app, say) reads as `nil`, and is named by ``ids`` and
/// ``undecodable``; ``transit(_:)`` shows what it holds. It stays as it is until ``remove(_:)`` or ``removeAll()`` deletes it: to assign to
/// its id makes the swap throw, and others that take the place of all documents leave it there.
///
/// What a decoded document has beside what `Element` knows (fields of a newer version of an app) is kept when it is assigned anew, at every
/// depth. In arrays and sets, elements are found again by what they are, by their `id`, or by their place. To write a document under another id use
/// ``copy(_:to:)``.
public struct Documents<Element: Codable & Sendable>: Sendable {
  private(set) var overlay: SnapshotOverlay
  private let decodings: DecodedDocuments<Element>
  /// The ids that these are; others are not seen.
  private let prefix: String
  /// The first assignment that could not be made.
  private(set) var failure: (any Error)?
  /// The swap that these are changed in.
  private var swap: SwapIdentity?

  init(_ overlay: SnapshotOverlay, _ decodings: DecodedDocuments<Element>, prefix: String) {
    self.overlay = overlay
    self.decodings = decodings
    self.prefix = prefix
  }

  /// No documents.
  public init() { self.init(SnapshotOverlay(), DecodedDocuments(), prefix: "") }

  /// The document `id`; `nil` when there is none, or when it is no `Element`. Assigning `nil` deletes it.
  ///
  /// An assignment that cannot be made changes nothing and makes the swap throw: an id against the rules of `Names` or without
  /// the prefix that these documents have, a value that cannot be encoded, a document that is there and cannot be decoded.
  public subscript(id: String) -> Element? {
    get { try? decoded(id) }
    set {
      trying(id) { documents in
        try documents.checkID(id)
        let old = documents.overlay.entry(id)
        if let old { _ = try documents.element(old).get() }
        if newValue == nil && old == nil { return }
        let value = try newValue.map { try ElementCoding.encode($0, replacing: old?.value) }
        documents.overlay.assign(value, to: id, isThere: old != nil)
      }
    }
    // Beside `set`, because `documents["a"]?.done = true` hands back the `nil` that it has found: that changes nothing.
    _modify {
      let found = try? decoded(id)
      var element = found
      defer {
        if found != nil || element != nil { self[id] = element }
      }
      yield &element
    }
  }

  private func checkID(_ id: String) throws {
    if let problem = Names.problem(id: id) { throw SyncError(.invalidDocument, problem) }
    if !id.begins(with: prefix) {
      throw SyncError(.invalidDocument, "The id \(id) does not begin with \(prefix), as all of these do.")
    }
  }

  /// Notes the first failure.
  private mutating func trying(_ id: String, _ body: (inout Self) throws -> Void) {
    do { try body(&self) } catch {
      if failure != nil { return }
      failure = error as? SyncError ?? SyncError(.invalidDocument, Self.message(id, error))
    }
  }

  private static func message(_ id: String, _ error: any Error) -> String {
    if error is UnopenedDocument {
      "The document \(id) is sealed and cannot be opened, so it is not changed. Remove it first if you mean to: \(error)"
    } else if error is DecodingError {
      "The document \(id) cannot be decoded, so it is neither changed nor deleted. Remove it first if you mean to: \(error)"
    } else {
      "The document \(id) cannot be encoded: \(error)"
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
      trying(id) { documents in
        _ = try documents.decoded(id)
        documents[id] = newValue
      }
    }
  }

  /// The document `id` as it is stored; `nil` when there is none.
  public func transit(_ id: String) -> TransitValue? { id.begins(with: prefix) ? overlay[id] : nil }

  /// The document `id`, or the error that keeps it from being decoded; `nil` when there is none.
  public func decoded(_ id: String) throws -> Element? {
    guard id.begins(with: prefix), let entry = overlay.entry(id) else { return nil }
    return try element(entry).get()
  }

  /// Whether the document is this one, as far as `Element` knows it; `nil` for one that is not there.
  func holds(_ id: String, _ expected: TransitValue?) -> Bool {
    let value = transit(id)
    if value == expected { return true }
    guard let value, expected != nil else { return false }
    return (try? ElementCoding.known(of: value, Element.self)) == expected
  }

  /// The documents that cannot be decoded as `Element`, with the reasons. O(n)
  public var undecodable: [(id: String, error: any Error)] {
    entries.compactMap { entry in
      if case .failure(let error) = element(entry) { (entry.id, error) } else { nil }
    }
  }

  /// Whether there is a document `id`, be it an `Element` or not. O(1)
  public func contains(_ id: String) -> Bool { transit(id) != nil }
  /// O(1); O(n) for the documents of a prefix.
  public var count: Int { prefix.isEmpty ? overlay.count : entries.reduce(0) { count, _ in count + 1 } }
  /// Whether there are no documents, decodable or not. O(1); up to O(n) for the documents of a prefix.
  public var isEmpty: Bool { prefix.isEmpty ? overlay.count == 0 : entries.first { _ in true } == nil }
  /// The ids of all documents, in no particular order that lasts. O(n)
  public var ids: [String] { prefix.isEmpty ? overlay.ids : entries.map(\.id) }

  /// Deletes the document `id`, be it an `Element` or not.
  public mutating func remove(_ id: String) {
    trying(id) { documents in
      try documents.checkID(id)
      if documents.contains(id) { documents.overlay[id] = nil }
    }
  }

  /// Deletes every document, be it an `Element` or not. O(n)
  public mutating func removeAll() {
    if prefix.isEmpty { overlay.removeAll() } else { for id in ids { overlay[id] = nil } }
  }

  /// Makes the document `new` the same as `id`, with all that is stored of it. Deletes `new` when there is no document `id`.
  public mutating func copy(_ id: String, to new: String) {
    trying(new) { documents in
      try documents.checkID(new)
      documents.overlay[new] = documents.transit(id)
    }
  }

  // MARK: Swaps

  /// What `body` makes of these.
  ///
  /// When it puts others in their place as a whole, those are the documents from then on, as if each had been assigned: what `Element` does not know of
  /// the ones that are there is kept, and so are those that cannot be decoded.
  func applying(_ body: (inout Self) throws -> Void) throws -> SnapshotOverlay {
    var documents = self
    let swap = SwapIdentity()
    documents.swap = swap
    try body(&documents)
    if documents.swap !== swap {
      let others = documents
      documents = self
      documents.become(others)
    }
    if let failure = documents.failure { throw failure }
    return documents.overlay
  }

  private mutating func become(_ others: Self) {
    failure = failure ?? others.failure
    for id in ids where !others.contains(id) && self[id] != nil { overlay[id] = nil }
    for entry in others.entries {
      trying(entry.id) { documents in
        try documents.checkID(entry.id)
        let old = documents.transit(entry.id)
        if entry.value != old { documents.overlay[entry.id] = try Self.value(taking: entry.value, for: old) }
      }
    }
  }

  /// A document of others as it is stored, with what is unknown of the one that is here.
  private static func value(taking new: TransitValue, for old: TransitValue?) throws -> TransitValue {
    guard Element.self != TransitValue.self, let old else { return new }
    return UnknownFields.keeping(old, known: try ElementCoding.known(of: old, Element.self), in: new)
  }

  // MARK: Parts

  /// Those with the prefix.
  private var entries: LazyFilterSequence<SnapshotOverlay> {
    overlay.lazy.filter { [prefix] in prefix.isEmpty || $0.id.begins(with: prefix) }
  }

  private func element(_ entry: SnapshotOverlay.Entry) -> Result<Element, any Error> {
    decodings.element(entry.id, entry.value, entry.payload, count: overlay.count)
  }
}

/// One run of one swap.
private final class SwapIdentity: Sendable {}

extension Documents: Sequence {
  /// A document and its id.
  public typealias Pair = (id: String, value: Element)

  /// Goes through the documents that can be decoded. Each is decoded when its turn comes, unless it was before.
  public struct Iterator: IteratorProtocol {
    private let documents: Documents
    /// The revision whose elements are kept for those who go through it again; `nil` where that gains nothing.
    private let revision: SnapshotOverlay.Origin?
    /// All, if somebody has gone through this revision before.
    private let decoded: [Pair]?
    private var position = 0
    /// What was found so far, and what is to be looked at, if nobody has.
    private var found: [Pair] = []
    private var rest: LazyFilterSequence<SnapshotOverlay>.Iterator

    fileprivate init(_ documents: Documents) {
      self.documents = documents
      revision = documents.decodings.keeps ? documents.overlay.unchangedOrigin : nil
      decoded = documents.decodings.pairs(of: revision)
      rest = documents.entries.makeIterator()
    }

    /// The next document that can be decoded; `nil` at the end.
    public mutating func next() -> Pair? {
      if let decoded {
        guard position < decoded.count else { return nil }
        defer { position += 1 }
        return decoded[position]
      }
      while let entry = rest.next() {
        guard case .success(let element) = documents.element(entry) else { continue }
        if revision != nil { found.append((entry.id, element)) }
        return (entry.id, element)
      }
      documents.decodings.keep(found, of: revision)
      return nil
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
  /// The documents as written; of two with the same id the later counts.
  ///
  /// An entry that cannot be assigned is left out, and a swap that makes these its documents throws.
  public init(dictionaryLiteral elements: (String, Element)...) {
    self.init()
    for (id, value) in elements { self[id] = value }
  }
}
