/// Reads Transit from a source and tells a sink what it says: the one place that knows the grammar.
///
/// It is specialised for each pair of source and sink, so that decoding, transcoding and skipping are the same code
/// and none of them calls through a table.
struct Parser<Source: TokenSource, Sink: TokenSink & ~Copyable>: ~Copyable {
  var source: Source
  var cache: ReadCache
  var sink: Sink
  /// How many more levels may open.
  var levels: Int
  let input: UnsafePointer<UInt8>
  /// The hash of the last text that was read as a key; zero for a key of another type.
  var keyHash: UInt64 = 0
  var keyHashes = KeyHashes()

  init(
    _ bytes: UnsafeBufferPointer<UInt8>, at position: Int, cache: consuming ReadCache, sink: consuming Sink,
    levels: Int
  ) {
    source = Source(bytes, position: position)
    input = bytes.baseAddress ?? ("" as StaticString).utf8Start
    self.cache = cache
    self.sink = sink
    self.levels = levels
  }

  func fail(_ code: TransitError.Code, _ message: String) -> TransitError {
    TransitError(code, message, offset: source.tokenStart)
  }

  /// Reads one value.
  mutating func value() throws(TransitError) {
    try item(try source.head(), key: false)
  }

  /// Reads what follows a head that was read.
  @inline(__always)
  mutating func item(_ head: Head, key: Bool) throws(TransitError) {
    if sink.isFull { throw .tooLarge(offset: source.tokenStart) }
    switch head {
    case .text(let text): try self.text(text, key: key)
    case .int(let value): sink.int(value, key: key)
    case .bool(let value): sink.bool(value, key: key)
    case .double(let value): sink.double(value, key: key)
    case .null: sink.null(key: key)
    case .digits(let digits): sink.scalar(.bigInt(TransitBigInteger(canonical: digits.string)), key: key)
    case .unsigned(let value): sink.scalar(.bigInt(TransitBigInteger(value)), key: key)
    case .array(let count):
      if key { throw fail(.compositeKey, "an array cannot be the key of a plain map") }
      try array(count: count)
      keyHash = 0
    case .object(let count):
      if key { throw fail(.compositeKey, "a map cannot be the key of a plain map") }
      try object(count: count)
      keyHash = 0
    }
  }

  // MARK: Text

  @inline(__always)
  private mutating func text(_ text: Text, key: Bool) throws(TransitError) {
    if text.count > 0 {
      let first = text.start[0]
      if first == UInt8(ascii: "^") { return try code(text, key: key) }
      if first == UInt8(ascii: "~") || first == UInt8(ascii: "`") { return try special(text, key: key) }
    }
    let hash = key ? self.hash(text, .string) : 0
    if key, text.isLongEnoughToCache {
      let value = sink.newText(text, kind: .string, key: key)
      cache.store(text, at: source.inputOffset(of: text), kind: .string, hash: hash, value: value)
    } else {
      sink.text(text, kind: .string, key: key)
    }
  }

  /// The hash of a text for telling keys apart, and for that only: zero where no values are built.
  @inline(__always)
  private mutating func hash(_ body: Text, _ kind: TextKind) -> UInt64 {
    guard Sink.buildsValues else { return 0 }
    keyHash = TextHash.hash(body.start, body.count, kind, seed: 0)
    return keyHash
  }

  private mutating func special(_ text: Text, key: Bool) throws(TransitError) {
    guard text.start[0] == UInt8(ascii: "~") else {
      // A backquote that nobody escaped: a string, though a writer would have escaped it.
      let value = TransitValue.string(text.string)
      sink.scalar(value, key: key)
      if text.isCacheable(asKey: key) { remember(text, scalar: value) }
      return
    }
    guard text.count > 1 else { throw fail(.invalidScalar, "'~' alone is not a value") }
    let body = text.dropping(2)
    switch text.start[1] {
    case UInt8(ascii: ":"): try named(text, body, .keyword, key: key)
    case UInt8(ascii: "$"): try named(text, body, .symbol, key: key)
    case UInt8(ascii: "~"), UInt8(ascii: "^"), UInt8(ascii: "`"):
      name(text, text.dropping(1), .escaped, key: key)
    case UInt8(ascii: "#"): throw fail(.misplacedTag, "a tag stands where only a value may")
    default:
      if !key {
        if text.start[1] == UInt8(ascii: "u"), let value = UUIDText.parse(body.start, body.count) {
          return sink.uuid(value, key: false)
        }
        if text.start[1] == UInt8(ascii: "m"), let value = Integers.parse(body.start, body.count) {
          return sink.instant(Instant(milliseconds: value), key: false)
        }
      }
      let value = try Scalars.decode(afterTilde: text.dropping(1), offset: source.tokenStart)
      sink.scalar(value, key: key)
      if key, text.isLongEnoughToCache { remember(text, scalar: value) }
    }
  }

  @inline(__always)
  private mutating func named(_ text: Text, _ body: Text, _ kind: TextKind, key: Bool) throws(TransitError) {
    guard body.count > 0 else { throw fail(.invalidScalar, "a keyword or symbol without a name") }
    name(text, body, kind, key: key)
  }

  @inline(__always)
  private mutating func name(_ text: Text, _ body: Text, _ kind: TextKind, key: Bool) {
    if text.isCacheable(asKey: key) {
      let hash = self.hash(body, kind)
      let value = sink.newText(body, kind: kind, key: key)
      cache.store(body, at: source.inputOffset(of: body), kind: kind, hash: hash, value: value)
    } else if key {
      _ = hash(body, kind)
      sink.text(body, kind: kind, key: true)
    } else {
      sink.text(body, kind: kind, key: key)
    }
  }

  private mutating func remember(_ text: Text, scalar value: TransitValue) {
    cache.store(text, at: source.inputOffset(of: text), kind: .string, isScalar: true, hash: 0, value: value)
  }

  private mutating func code(_ text: Text, key: Bool) throws(TransitError) {
    let index = try self.slot(text)
    let slot = cache.slots[index]
    if slot.kind == .tag { throw fail(.misplacedTag, "a tag stands where only a value may") }
    keyHash = slot.hash
    if Sink.buildsValues {
      if let value = cache.value(at: index) { return sink.scalar(value, key: key) }
      let value = ValueSink.make(cache.body(of: slot, input: input), slot.kind)
      cache.keep(value, at: index)
      sink.scalar(value, key: key)
    } else if slot.isScalar, let value = cache.value(at: index) {
      sink.scalar(value, key: key)
    } else {
      sink.text(cache.body(of: slot, input: input), kind: slot.kind, key: key)
    }
  }

  @inline(__always)
  private func slot(_ text: Text) throws(TransitError) -> Int {
    if let slot = cache.index(ofCode: text) { return slot }
    throw noSlot(text)
  }

  private func noSlot(_ text: Text) -> TransitError {
    if text.count == 2, text.start[1] == UInt8(ascii: " ") {
      return fail(.misplacedTag, "the mark of a map stands where only a value may")
    }
    return fail(.invalidCacheCode, "the cache code '\(text.string.prefix(8))' stands for nothing")
  }

  // MARK: Tags

  /// What the first text of an array says about the array.
  enum Opening {
    case none
    case map
    case tag(TagKind, Text)
  }

  @inline(__always)
  mutating func opening(_ text: Text) throws(TransitError) -> Opening {
    guard text.count > 1 else { return .none }
    if text.start[0] == UInt8(ascii: "^") {
      if text.count == 2, text.start[1] == UInt8(ascii: " ") { return .map }
      let slot = try self.slot(text)
      guard cache.slots[slot].kind == .tag else { return .none }
      return .tag(cache.slots[slot].tag, cache.body(of: cache.slots[slot], input: input))
    }
    guard text.start[0] == UInt8(ascii: "~"), text.start[1] == UInt8(ascii: "#") else { return .none }
    let name = text.dropping(2)
    guard name.count > 0 else { throw fail(.misplacedTag, "a tag without a name") }
    let kind = TagKind(name)
    if text.isLongEnoughToCache {
      cache.store(name, at: source.inputOffset(of: name), kind: .tag, tag: kind, hash: 0, value: nil)
    }
    return .tag(kind, name)
  }
}
