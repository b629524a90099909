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
  ///   stored. O(the document)
  static func keeping(_ old: TransitValue, known: TransitValue, in new: TransitValue) -> TransitValue {
    if new == known { return old }
    switch (old, known, new) {
    case (.map(let old), .map(let known), .map(let new)): return .map(keeping(old, known, new))
    case (.array(let old), .array(let known), .array(let new)): return .array(keeping(old, known, new))
    case (.list(let old), .array(let known), .array(let new)): return .list(keeping(old, known, new))
    case (.tagged(let old), .tagged(let known), .tagged(let new))
    where old.tag == known.tag && old.tag == new.tag:
      return .tagged(
        TransitTagged(tag: new.tag, rep: keeping(old.rep, known: known.rep, in: new.rep)))
    default: return new
    }
  }

  // MARK: Maps

  /// A field's name, however it is written: types find fields by keyword or by string.
  private static func field(_ key: TransitValue) -> TransitValue {
    if case .keyword(let keyword) = key { .string(keyword.text) } else { key }
  }

  private static func keeping(_ old: TransitMap, _ known: TransitMap, _ new: TransitMap) -> TransitMap {
    var knownFields: [TransitValue: TransitValue] = [:]
    for (key, value) in known { knownFields[field(key)] = value }
    var newFields: [TransitValue: TransitValue] = [:]
    for (key, value) in new { newFields[field(key)] = value }
    var result = TransitMap()
    for (key, value) in old {
      let name = field(key)
      switch (knownFields[name], newFields.removeValue(forKey: name)) {
      case (let known?, let new?): result[key] = keeping(value, known: known, in: new)
      case (nil, let new?): result[key] = new
      case (nil, nil): result[key] = value
      case (_?, nil): break  // the type has removed it
      }
    }
    for (key, value) in new where newFields[field(key)] != nil { result[key] = value }
    return result
  }

  // MARK: Arrays

  /// An element that did not change is found by what it is, one that did by its `id`, or else by its place.
  private static func keeping(
    _ old: [TransitValue], _ known: [TransitValue], _ new: [TransitValue]
  ) -> [TransitValue] {
    // A type that leaves elements out does not tell which.
    guard old.count == known.count else { return new }
    var same: [TransitValue: [Int]] = [:]
    var named: [TransitValue: [Int]] = [:]
    for index in known.indices.reversed() {
      same[known[index], default: []].append(index)
      if let id = identity(known[index]) { named[id, default: []].append(index) }
    }
    var result = new
    var isTaken = Array(repeating: false, count: old.count)
    var isFound = Array(repeating: false, count: new.count)
    func take(_ index: Int, for place: Int) {
      isTaken[index] = true
      isFound[place] = true
      result[place] = keeping(old[index], known: known[index], in: new[place])
    }
    for place in new.indices {
      if let index = same[new[place]]?.popLast() { take(index, for: place) }
    }
    for place in new.indices where !isFound[place] {
      guard let id = identity(new[place]) else { continue }
      while let index = named[id]?.popLast() {
        if isTaken[index] { continue }
        take(index, for: place)
        break
      }
    }
    if old.count == new.count {
      for place in new.indices where !isFound[place] && !isTaken[place] {
        if identity(new[place]) == nil && identity(known[place]) == nil { take(place, for: place) }
      }
    }
    return result
  }

  /// By which an element is known when it changes.
  private static func identity(_ element: TransitValue) -> TransitValue? {
    guard case .map(let map) = element else { return nil }
    return map[.keyword(Keyword("id"))] ?? map["id"]
  }
}
