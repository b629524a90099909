extension Parser where Sink: ~Copyable {
  /// Goes one level deeper, and back by adding one to `levels`.
  @inline(__always)
  mutating func descend() throws(TransitError) {
    levels &-= 1
    if levels < 0 { throw fail(.tooDeep, "values are nested deeper than the limit") }
  }

  /// Reads what follows the beginning of an array: elements, a map in array form, or a tag and its value.
  mutating func array(count: Int?) throws(TransitError) {
    try descend()
    var frame = Frame(array: count)
    guard try source.hasNext(&frame) else {
      let mark = sink.begin(.array, count: 0)
      sink.end(.array, mark: mark, count: 0, distinct: false)
      levels &+= 1
      return
    }
    let head = try source.head()
    if case .text(let text) = head {
      switch try opening(text) {
      case .none: break
      case .map:
        try pairs(&frame, count: count.map { ($0 &- 1) / 2 })
        levels &+= 1
        return
      case .tag(let kind, let name):
        try tagged(&frame, kind, name)
        levels &+= 1
        return
      }
    }
    try elements(.array, &frame, count: count, first: head)
    levels &+= 1
  }

  /// Reads the elements of an array whose first head was read.
  @inline(__always)
  private mutating func elements(
    _ kind: Composite, _ frame: inout Frame, count: Int?, first: Head
  ) throws(TransitError) {
    let mark = sink.begin(kind, count: count)
    var items = 1
    do throws(TransitError) {
      try item(first, key: false)
      while try source.hasNext(&frame) {
        items &+= 1
        try item(try source.head(), key: false)
      }
    } catch {
      throw error.inside(.index(items - 1))
    }
    sink.end(kind, mark: mark, count: items, distinct: false)
  }

  /// Reads the array under `set`, `list` or `cmap`: one that is no map and no tag itself.
  private mutating func plainArray(_ kind: Composite) throws(TransitError) {
    guard case .array(let count) = try source.head() else {
      throw fail(.invalidRepresentation, "a set, list or cmap needs an array")
    }
    try descend()
    var frame = Frame(array: count)
    guard try source.hasNext(&frame) else {
      let mark = sink.begin(kind, count: 0)
      sink.end(kind, mark: mark, count: 0, distinct: false)
      levels &+= 1
      return
    }
    let start = source.tokenStart
    let head = try source.head()
    if case .text(let text) = head, text.count > 1 {
      // What opens a map or a tag is no element, and `item` refuses it; `opening` must not run twice on it.
      let first = text.start[0]
      let second = text.start[1]
      if first == UInt8(ascii: "~") && second == UInt8(ascii: "#")
        || first == UInt8(ascii: "^") && second == 0x20
      {
        throw fail(.invalidRepresentation, "a set, list or cmap needs a plain array")
      }
    }
    let mark = sink.begin(kind, count: count)
    let hashes = keyHashes.count
    var items = 1
    var begun = 0
    do throws(TransitError) {
      keyHash = 0
      try item(head, key: false)
      if kind == .set { note(0, since: hashes) }
      while try source.hasNext(&frame) {
        begun = items
        keyHash = 0
        try item(try source.head(), key: false)
        if kind == .set { note(items, since: hashes) }
        items &+= 1
      }
    } catch {
      throw error.inside(.index(begun))
    }
    if kind == .cmap, items & 1 == 1 {
      throw TransitError(.oddMap, "a cmap has a key without a value", offset: start)
    }
    let distinct = keyHashes.allDistinct(items, since: hashes)
    sink.end(kind, mark: mark, count: items, distinct: distinct)
    levels &+= 1
  }

  /// Reads the pairs after the mark of a map, `["^ ", …`.
  private mutating func pairs(_ frame: inout Frame, count: Int?) throws(TransitError) {
    let mark = sink.begin(.map, count: count)
    var pairs = 0
    let hashes = keyHashes.count
    while try source.hasNext(&frame) {
      try key(try source.head(), pair: pairs)
      note(pairs, since: hashes)
      guard try source.hasNext(&frame) else {
        throw fail(.oddMap, "a map has a key without a value")
      }
      try pairValue(mark, pairs)
      pairs &+= 1
    }
    sink.end(.map, mark: mark, count: 2 &* pairs, distinct: keyHashes.allDistinct(pairs, since: hashes))
  }

  /// Notes the key or element that was read, to learn whether all of a map or set differ.
  @inline(__always)
  private mutating func note(_ pair: Int, since start: Int) {
    guard Sink.buildsValues else { return }
    keyHashes.note(keyHash, pair: pair, since: start)
  }

  @inline(__always)
  private mutating func key(_ head: Head, pair: Int) throws(TransitError) {
    do throws(TransitError) {
      keyHash = 0
      try item(head, key: true)
    } catch {
      throw error.inside(.index(2 * pair))
    }
  }

  @inline(__always)
  private mutating func pairValue(_ mark: Int, _ pair: Int) throws(TransitError) {
    do throws(TransitError) {
      try item(try source.head(), key: false)
    } catch {
      if let key = sink.keyText(mark: mark, pair: pair) { throw error.inside(.key(key)) }
      throw error.inside(.index(2 * pair + 1))
    }
  }

  /// Reads what follows the beginning of an object: a map, or a tag and its value.
  mutating func object(count: Int?) throws(TransitError) {
    try descend()
    var frame = Frame(object: count)
    guard try source.hasNext(&frame) else {
      let mark = sink.begin(.map, count: 0)
      sink.end(.map, mark: mark, count: 0, distinct: true)
      levels &+= 1
      return
    }
    var head = try source.head()
    if case .text(let text) = head, case .tag(let kind, let name) = try opening(text) {
      try tagged(&frame, kind, name)
      levels &+= 1
      return
    }
    let mark = sink.begin(.map, count: count)
    var pairs = 0
    let hashes = keyHashes.count
    while true {
      try key(head, pair: pairs)
      note(pairs, since: hashes)
      guard try source.hasNext(&frame) else { throw fail(.oddMap, "a map has a key without a value") }
      try pairValue(mark, pairs)
      pairs &+= 1
      guard try source.hasNext(&frame) else { break }
      head = try source.head()
    }
    sink.end(.map, mark: mark, count: 2 &* pairs, distinct: keyHashes.allDistinct(pairs, since: hashes))
    levels &+= 1
  }

  /// Reads the one value under a tag, and the end of the form that holds both.
  @inline(__always)
  private mutating func tagged(_ frame: inout Frame, _ kind: TagKind, _ name: Text) throws(TransitError) {
    let start = source.tokenStart
    guard try source.hasNext(&frame) else { throw fail(.misplacedTag, "a tag without a value") }
    switch kind {
    case .set: try plainArray(.set)
    case .list: try plainArray(.list)
    case .cmap: try plainArray(.cmap)
    case .quote: try item(try source.head(), key: false)
    case .scalar: try scalar(name)
    case .unknown, .ratio, .link:
      if kind != .unknown, !Sink.buildsValues {
        try sink.value(try representation(kind, start: start))
      } else {
        let mark = sink.beginTagged(name)
        do throws(TransitError) {
          try item(try source.head(), key: false)
          try sink.endTagged(mark: mark, kind: kind)
        } catch {
          throw error.offset == nil ? error.moved(to: start) : error
        }
      }
    }
    if try source.hasNext(&frame) {
      throw TransitError(.misplacedTag, "a tag with more than one value", offset: source.position)
    }
  }

  /// Reads the value under a tag of one character.
  @inline(__always)
  private mutating func scalar(_ name: Text) throws(TransitError) {
    let start = source.tokenStart
    let letter = name.start[0]
    // The name may lie in the scratch buffer, which the next token takes.
    let tag = letter == UInt8(ascii: "m") || letter == UInt8(ascii: "u") ? "" : name.string
    let head = try source.head()
    if case .int(let value) = head, letter == UInt8(ascii: "m") {
      sink.instant(Instant(milliseconds: value), key: false)
    } else if case .array(count: 2) = head, letter == UInt8(ascii: "u") {
      guard let high = try half(), let low = try half() else {
        throw TransitError(.invalidRepresentation, "a UUID needs two integers", offset: start)
      }
      sink.uuid(UUIDText.uuid(high: high, low: low), key: false)
    } else {
      try rareScalar(tag.isEmpty ? String(Unicode.Scalar(letter)) : tag, head, start: start)
    }
  }

  /// An integer that is one half of a UUID; a peer without signs may write it as a large one.
  @inline(__always)
  private mutating func half() throws(TransitError) -> UInt64? {
    switch try source.head() {
    case .int(let value): UInt64(bitPattern: value)
    case .unsigned(let value): value
    default: nil
    }
  }

  private mutating func rareScalar(_ tag: String, _ head: Head, start: Int) throws(TransitError) {
    let rep = try separately { (parser) throws(TransitError) in try parser.item(head, key: false) }
    let value = try Scalars.decode(tag: tag, rep: rep, offset: start)
    if Sink.buildsValues || value.isStringable {
      sink.scalar(value, key: false)
    } else {
      try sink.value(value)
    }
  }

  /// The value of a ratio or link, read apart so that its shape can be checked.
  private mutating func representation(_ kind: TagKind, start: Int) throws(TransitError) -> TransitValue {
    let rep = try separately { (parser) throws(TransitError) in try parser.value() }
    do throws(TransitError) {
      return kind == .ratio ? try ValueSink.ratio(rep) : try ValueSink.link(rep)
    } catch {
      throw error.moved(to: start)
    }
  }

  /// Reads a value at the present position, whatever the sink.
  private mutating func separately(
    _ read: (inout Parser<Source, ValueSink>) throws(TransitError) -> Void
  ) throws(TransitError) -> TransitValue {
    var parser = Parser<Source, ValueSink>(source: source, cache: cache.take(), levels: levels, input: input)
    try read(&parser)
    source = parser.source
    cache = parser.cache
    return parser.sink.stack.pop()
  }
}

extension Parser where Sink == ValueSink {
  init(source: Source, cache: consuming ReadCache, levels: Int, input: UnsafePointer<UInt8>) {
    self.source = source
    self.cache = cache
    self.sink = ValueSink()
    self.levels = levels
    self.input = input
  }
}
