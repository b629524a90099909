internal import Transit

/// Keeps what a type does not know of a document when it writes the document anew.
///
/// A newer version of an application adds fields. An older one decodes a document, changes it and encodes it, and the fields would be gone. What
/// the older one knows shows in what it makes of the unchanged document: decoded and encoded once more. Everything else is kept.
enum UnknownFields {
  /// - Parameters:
  ///   - old: the document as it is stored.
  ///   - known: what the type makes of it.
  ///   - new: what the type makes of the changed document.
  /// - Returns: the new document, with what is unknown of the old one, at every depth. What did not change stays exactly as it was
  ///   stored. O(the document), however deep it is.
  static func keeping(_ old: TransitValue, known: TransitValue, in new: TransitValue) -> TransitValue {
    // Most types know all of their documents.
    if old == known { return new }
    return keeping(old, Digested(known), Digested(new))
  }

  private static func keeping(_ old: TransitValue, _ known: Digested, _ new: Digested) -> TransitValue {
    if new.digest == known.digest { return old }
    switch (old, known.value, new.value) {
    case (.map(let old), .map, .map(let order)): return .map(keeping(old, known, new, order))
    case (.array(let old), .array, .array): return .array(keeping(old, known.elements, new.elements))
    case (.list(let old), .array, .array): return .list(keeping(old, known.elements, new.elements))
    case (.tagged(let old), .tagged(let knownTag), .tagged(let newTag))
    where old.tag == knownTag.tag && old.tag == newTag.tag:
      let rep = keeping(old.rep, known.elements[0], new.elements[0])
      return .tagged(TransitTagged(tag: old.tag, rep: rep))
    default: return new.value
    }
  }

  // MARK: Maps

  private static func keeping(
    _ old: TransitMap, _ known: Digested, _ new: Digested, _ order: TransitMap
  ) -> TransitMap {
    var added = new.fields
    var result = TransitMap()
    for (key, value) in old {
      let knownField = name(of: key, in: known.fields, besides: old).flatMap { known.fields[$0] }
      let newField = name(of: key, in: new.fields, besides: old).flatMap { added.removeValue(forKey: $0) }
      switch (knownField, newField) {
      case (let known?, let new?): result[key] = keeping(value, known, new)
      case (nil, let new?): result[key] = new.value
      case (nil, nil): result[key] = value
      case (_?, nil): break  // the type has removed it
      }
    }
    for (key, value) in order where added[key] != nil { result[key] = value }
    return result
  }

  /// The key under which a type writes a field that is stored under `key`: it finds fields by keyword or by string, and by a number
  /// as well. A field that is stored under both is two.
  private static func name(
    of key: TransitValue, in fields: [TransitValue: Digested], besides old: TransitMap
  ) -> TransitValue? {
    if fields[key] != nil { return key }
    let others: [TransitValue] =
      switch key {
      case .keyword(let keyword): [.string(keyword.text)]
      case .string(let text): [.keyword(Keyword(text))]
      case .int(let number): [.keyword(Keyword("\(number)")), .string("\(number)")]
      default: []
      }
    return others.first { fields[$0] != nil && old[$0] == nil }
  }

  // MARK: Arrays

  /// An element that did not change is found by what it is, one that did by its `id`, or else by its place.
  private static func keeping(
    _ old: [TransitValue], _ known: [Digested], _ new: [Digested]
  ) -> [TransitValue] {
    // A type that leaves elements out does not tell which.
    guard old.count == known.count else { return new.map(\.value) }
    var same: [Int: [Int]] = [:]
    var named: [TransitValue: [Int]] = [:]
    for index in known.indices.reversed() {
      same[known[index].digest, default: []].append(index)
      if let id = known[index].identity { named[id, default: []].append(index) }
    }
    var result = new.map(\.value)
    var isTaken = Array(repeating: false, count: old.count)
    var isFound = Array(repeating: false, count: new.count)
    func take(_ index: Int, for place: Int) {
      isTaken[index] = true
      isFound[place] = true
      result[place] = keeping(old[index], known[index], new[place])
    }
    for place in new.indices {
      if let index = same[new[place].digest]?.popLast() { take(index, for: place) }
    }
    for place in new.indices where !isFound[place] {
      guard let id = new[place].identity else { continue }
      while let index = named[id]?.popLast() {
        if isTaken[index] { continue }
        take(index, for: place)
        break
      }
    }
    if old.count == new.count {
      for place in new.indices where !isFound[place] && !isTaken[place] {
        if new[place].identity == nil && known[place].identity == nil { take(place, for: place) }
      }
    }
    return result
  }
}

/// A value with a digest of everything in it, made once: to compare the parts at each level anew would take as many times as long as the
/// value is deep. Digests are of 64 bits and seeded in each process, so that two values have the same one by chance alone.
private struct Digested {
  let value: TransitValue
  let digest: Int
  /// Of a map.
  private(set) var fields: [TransitValue: Digested] = [:]
  /// Of an array or a list; what is tagged.
  private(set) var elements: [Digested] = []

  init(_ value: TransitValue) {
    self.value = value
    switch value {
    case .map(let map):
      fields = Dictionary(map.lazy.map { ($0.key, Digested($0.value)) }) { first, _ in first }
      // In no order.
      digest = fields.reduce(map.count) { $0 &+ Self.digest(1, $1.key, $1.value.digest) }
    case .array(let array):
      elements = array.map { Digested($0) }
      digest = Self.digest(2, elements.map(\.digest))
    case .list(let list):
      elements = list.map { Digested($0) }
      digest = Self.digest(3, elements.map(\.digest))
    case .tagged(let tagged):
      elements = [Digested(tagged.rep)]
      digest = Self.digest(4, tagged.tag, elements[0].digest)
    default: digest = value.hashValue
    }
  }

  private static func digest(_ kind: Int, _ part: some Hashable, _ digest: Int = 0) -> Int {
    var hasher = Hasher()
    hasher.combine(kind)
    hasher.combine(part)
    hasher.combine(digest)
    return hasher.finalize()
  }

  /// By which an element is known when it changes.
  var identity: TransitValue? { (fields[.keyword(Keyword("id"))] ?? fields["id"])?.value }
}
