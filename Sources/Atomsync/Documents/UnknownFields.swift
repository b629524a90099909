internal import Transit

/// Keeps what a type does not know of a document when it writes the document anew.
///
/// A newer version of an application adds fields. An older one decodes a document, changes it and encodes it, and the fields would be gone. What
/// the older one knows shows in what it makes of the unchanged document: decoded and encoded once more. Everything else is kept.
///
/// What a type changes as it decodes it cannot be told from what it does not know: the keys of a dictionary, or the elements of an array that it
/// sorts. Elements are then written as the type has them, and keys stay beside those that it writes. Of a set with more than 64 elements only
/// those with an `id` are found again.
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
    case (.set(let old), .array, .array):
      return set(keeping(Array(old), known.elements, new.elements)) ?? new.value
    case (.set(let old), .set, .set):
      return set(keeping(Array(old), inNoOrder: known.elements, new.elements)) ?? new.value
    case (.tagged(let old), .tagged(let knownTag), .tagged(let newTag))
    where old.tag == knownTag.tag && old.tag == newTag.tag:
      let rep = keeping(old.rep, known.elements[0], new.elements[0])
      return .tagged(TransitTagged(tag: old.tag, rep: rep))
    default: return new.value
    }
  }

  /// `nil` when there are two of one.
  private static func set(_ elements: [TransitValue]) -> TransitValue? {
    let set = TransitSet(elements)
    return set.count == elements.count ? .set(set) : nil
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

  /// The key under which a type writes a field that is stored under `key`: it finds fields by keyword or by string, and numbers by what they are.
  /// A field that is stored under both is two.
  private static func name(
    of key: TransitValue, in fields: [TransitValue: Digested], besides old: TransitMap
  ) -> TransitValue? {
    if fields[key] != nil { return key }
    let others: [TransitValue] =
      switch key {
      case .keyword(let keyword): [.string(keyword.text)]
      case .string(let text): [.keyword(Keyword(text))]
      case .symbol(let symbol): [.keyword(Keyword(symbol.text)), .string(symbol.text)]
      case .int(let number): [.keyword(Keyword("\(number)")), .string("\(number)"), .double(Double(number))]
      default: []
      }
    return others.first { fields[$0] != nil && old[$0] == nil }
  }

  // MARK: Elements

  /// An element that did not change is found by what it is, one that did by its `id`, or else by its place behind the one before it. What the type
  /// has left out keeps its place in the same way.
  private static func keeping(
    _ old: [TransitValue], _ known: [Digested], _ new: [Digested]
  ) -> [TransitValue] {
    guard let seen = seen(known, in: old) else { return new.map(\.value) }
    let origins = origins(of: new, in: known, isOrdered: true)
    var unseen = unseen(seen, of: old)
    var result = unseen.removeValue(forKey: -1) ?? []
    for (element, origin) in zip(new, origins) {
      guard let origin else {
        result.append(element.value)
        continue
      }
      result.append(keeping(old[seen[origin]], known[origin], element))
      result += unseen.removeValue(forKey: origin) ?? []
    }
    // Behind those that are gone.
    for origin in unseen.keys.sorted() { result += unseen[origin] ?? [] }
    return result
  }

  /// A set is decoded and encoded in any order.
  private static func keeping(
    _ old: [TransitValue], inNoOrder known: [Digested], _ new: [Digested]
  ) -> [TransitValue] {
    let stored = stored(old, for: known)
    return zip(new, origins(of: new, in: known, isOrdered: false)).map { element, origin in
      guard let origin, let value = stored[origin] else { return element.value }
      return keeping(value, known[origin], element)
    }
  }

  /// What each element that the type knows was made of, as far as that can be told.
  private static func stored(_ old: [TransitValue], for known: [Digested]) -> [Int: TransitValue] {
    var named: [TransitValue: Int] = [:]
    for index in known.indices { if let id = known[index].identity { named[id] = index } }
    var stored: [Int: TransitValue] = [:]
    var others: [TransitValue] = []
    for value in old {
      if let index = Digested.identity(of: value).flatMap({ named[$0] }) {
        stored[index] = value
      } else {
        others.append(value)
      }
    }
    // Each with each, which is for few.
    guard others.count <= mostInNoOrder else { return stored }
    for index in known.indices where stored[index] == nil {
      guard let place = others.firstIndex(where: { contains($0, known[index].value) }) else { continue }
      stored[index] = others.remove(at: place)
    }
    return stored
  }

  private static let mostInNoOrder = 64

  /// Where in `old` each element is that the type knows; `nil` when that cannot be told.
  private static func seen(_ known: [Digested], in old: [TransitValue]) -> [Int]? {
    if known.count == old.count { return Array(old.indices) }
    var places: [Int] = []
    for index in old.indices where places.count < known.count {
      if contains(old[index], known[places.count].value) { places.append(index) }
    }
    return places.count == known.count ? places : nil
  }

  /// The elements that the type has left out, by the element before them, or by −1.
  private static func unseen(_ seen: [Int], of old: [TransitValue]) -> [Int: [TransitValue]] {
    var unseen: [Int: [TransitValue]] = [:]
    var next = 0
    for index in old.indices {
      if next < seen.count, seen[next] == index {
        next += 1
      } else {
        unseen[next - 1, default: []].append(old[index])
      }
    }
    return unseen
  }

  /// Which element of `known` each one of `new` was.
  private static func origins(of new: [Digested], in known: [Digested], isOrdered: Bool) -> [Int?] {
    var same: [Int: [Int]] = [:]
    var named: [TransitValue: [Int]] = [:]
    for index in known.indices.reversed() {
      same[known[index].digest, default: []].append(index)
      if let id = known[index].identity { named[id, default: []].append(index) }
    }
    var origins = [Int?](repeating: nil, count: new.count)
    var isTaken = [Bool](repeating: false, count: known.count)
    func take(_ index: Int, for place: Int) {
      isTaken[index] = true
      origins[place] = index
    }
    for place in new.indices {
      if let index = same[new[place].digest]?.popLast() { take(index, for: place) }
    }
    for place in new.indices where origins[place] == nil {
      guard let id = new[place].identity else { continue }
      while let index = named[id]?.popLast() {
        if isTaken[index] { continue }
        take(index, for: place)
        break
      }
    }
    var last = -1
    for place in new.indices where isOrdered {
      let next = last + 1
      if origins[place] == nil, next < known.count, !isTaken[next], new[place].identity == nil,
        known[next].identity == nil
      {
        take(next, for: place)
      }
      last = origins[place] ?? last
    }
    return origins
  }

  /// Whether a value has everything that the type makes of it. O(the smaller one)
  private static func contains(_ value: TransitValue, _ known: TransitValue) -> Bool {
    switch (value, known) {
    case (.map(let map), .map(let known)):
      known.allSatisfy { key, part in
        let other: TransitValue? =
          switch key {
          case .keyword(let keyword): map[.string(keyword.text)]
          case .string(let text): map[.keyword(Keyword(text))]
          default: nil
          }
        return (map[key] ?? other).map { contains($0, part) } ?? false
      }
    case (.array(let array), .array(let known)), (.list(let array), .array(let known)):
      array.count == known.count && zip(array, known).allSatisfy { contains($0, $1) }
    default: value == known
    }
  }
}

/// A value with a digest of everything in it, made once: to compare the parts at each level anew would take as many times as long as the
/// value is deep. Digests are of 64 bits and seeded in each process, so that two values have the same one by chance alone.
private struct Digested {
  let value: TransitValue
  let digest: Int
  /// Of a map.
  private(set) var fields: [TransitValue: Digested] = [:]
  /// Of an array, a list or a set; what is tagged.
  private(set) var elements: [Digested] = []

  init(_ value: TransitValue) {
    self.value = value
    switch value {
    case .map(let map):
      fields = Dictionary(map.lazy.map { ($0.key, Digested($0.value)) }) { first, _ in first }
      // In no order.
      digest = fields.reduce(Self.digest(1, map.count)) {
        $0 &+ Self.digest(1, Digested($1.key).digest, $1.value.digest)
      }
    case .array(let array):
      elements = array.map { Digested($0) }
      digest = Self.digest(2, elements.map(\.digest))
    case .list(let list):
      elements = list.map { Digested($0) }
      digest = Self.digest(3, elements.map(\.digest))
    case .tagged(let tagged):
      elements = [Digested(tagged.rep)]
      digest = Self.digest(4, tagged.tag, elements[0].digest)
    case .set(let set):
      elements = set.map { Digested($0) }
      digest = elements.reduce(Self.digest(5, set.count)) { $0 &+ Self.digest(5, $1.digest) }
    // Text of each kind is hashed as text.
    case .keyword: digest = Self.digest(6, value)
    case .symbol: digest = Self.digest(7, value)
    case .uri: digest = Self.digest(8, value)
    default: digest = Self.digest(9, value)
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
  var identity: TransitValue? { Self.identity(of: value) }

  static func identity(of value: TransitValue) -> TransitValue? {
    guard case .map(let map) = value else { return nil }
    return map[.keyword(Keyword("id"))] ?? map["id"]
  }
}
