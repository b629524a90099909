#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// Reads Transit token by token, for messages that are not worth a value of their own.
///
/// ```swift
/// var reader = TransitReader(bytes, format: .json)
/// try reader.beginMap()
/// while let key = try reader.nextKey() {
///   switch key {
///   case .keyword("name"): name = try reader.readString()
///   case .keyword("document"): document = try reader.readEncoded(as: .msgpack)
///   default: try reader.skipValue()
///   }
/// }
/// try reader.finish()
/// ```
///
/// After an error the reader is of no use. A copy of a reader continues by itself from the same place.
public struct TransitReader: Sendable {
  /// The encoding that is read.
  public let format: TransitFormat
  /// How deep values may nest, counted from the top, and how much is handed on.
  public let limits: TransitLimits

  let bytes: [UInt8]
  private(set) var position: Int
  private var cache = ReadCache()
  private var open: [Open] = []
  /// Whether a separator was consumed, so that an item must follow.
  private var itemDue = true
  /// How many bytes were handed on.
  private var relayed = 0

  private struct Open {
    var frame: Frame
    let isMap: Bool
    /// The closing bytes of forms around this one: a cmap is an array within a tag.
    let outer: Frame?
    /// The first key, when it had to be read to tell what the map is.
    var firstKey: TransitValue?
  }

  /// - Parameters:
  ///   - bytes: one or more top-level values.
  ///   - format: their encoding. Both JSON formats read either.
  ///   - limits: how deep values may nest.
  public init(_ bytes: [UInt8], format: TransitFormat, limits: TransitLimits = .standard) {
    self.bytes = bytes
    self.format = format
    self.limits = limits
    position = 0
  }

  /// The byte after what was read so far.
  public var offset: Int { position }

  /// Runs a piece of reading on the bytes from the present position.
  private mutating func read<R>(
    _ json: (inout Parser<JSONSource, ValueSink>) throws(TransitError) -> R,
    _ msgpack: (inout Parser<MessagePackSource, ValueSink>) throws(TransitError) -> R
  ) throws(TransitError) -> R {
    let start = position
    let levels = limits.depth - open.count
    var cache = ReadCache()
    swap(&cache, &self.cache)
    let (result, end): (Result<R, TransitError>, Int) = bytes.withUnsafeBufferPointer { buffer in
      if format == .msgpack {
        return Self.run(buffer, start, &cache, levels, msgpack)
      }
      return Self.run(buffer, start, &cache, levels, json)
    }
    swap(&cache, &self.cache)
    position = end
    return try result.get()
  }

  private static func run<Source: TokenSource, R>(
    _ buffer: UnsafeBufferPointer<UInt8>, _ position: Int, _ cache: inout ReadCache, _ levels: Int,
    _ body: (inout Parser<Source, ValueSink>) throws(TransitError) -> R
  ) -> (Result<R, TransitError>, Int) {
    var parser = Parser<Source, ValueSink>(
      buffer, at: position, cache: cache.take(), sink: ValueSink(), levels: levels)
    do throws(TransitError) {
      let value = try body(&parser)
      cache = parser.cache
      return (.success(value), parser.source.position)
    } catch {
      return (.failure(error), parser.source.position)
    }
  }

  /// Makes sure that a value may be read here.
  private mutating func claim() throws(TransitError) {
    guard itemDue else {
      throw TransitError(
        .misuse, open.isEmpty ? "the value is complete" : "ask for the next key or element first",
        offset: position)
    }
    itemDue = false
  }

  // MARK: Maps and arrays

  /// Enters a map. Any form of it is taken; `null` is not.
  public mutating func beginMap() throws(TransitError) {
    try enter(isMap: true)
  }

  /// Enters an array, list or set.
  public mutating func beginArray() throws(TransitError) {
    try enter(isMap: false)
  }

  /// Of what is read a token at a time.
  private static let usualDepth = 4

  private mutating func enter(isMap: Bool) throws(TransitError) {
    try claim()
    let entered = try read(
      { parser throws(TransitError) in try parser.enter(isMap: isMap) },
      { parser throws(TransitError) in try parser.enter(isMap: isMap) })
    if open.isEmpty { open.reserveCapacity(Self.usualDepth) }
    open.append(
      Open(frame: entered.frame, isMap: isMap, outer: entered.outer, firstKey: entered.firstKey))
  }

  /// The next key of the map that was entered; nil at its end, which is left then.
  ///
  /// After a key its value must be read or skipped.
  public mutating func nextKey() throws(TransitError) -> TransitValue? {
    guard let last = open.last, last.isMap, !itemDue else {
      throw TransitError(.misuse, "no map is being read, or a value is due", offset: position)
    }
    if let key = last.firstKey {
      open[open.count - 1].firstKey = nil
      itemDue = true
      return key
    }
    var frame = last.frame
    let plain = last.outer == nil
    let outer = last.outer
    let key: TransitValue? = try read(
      { parser throws(TransitError) in try parser.nextKey(&frame, plain: plain, outer: outer) },
      { parser throws(TransitError) in try parser.nextKey(&frame, plain: plain, outer: outer) })
    if key == nil {
      open.removeLast()
    } else {
      open[open.count - 1].frame = frame
      itemDue = true
    }
    return key
  }

  /// Whether another element follows in the array that was entered; at its end it is left.
  public mutating func hasNextElement() throws(TransitError) -> Bool {
    guard let last = open.last, !last.isMap, !itemDue else {
      throw TransitError(.misuse, "no array is being read, or an element is due", offset: position)
    }
    var frame = last.frame
    let outer = last.outer
    let more = try read(
      { parser throws(TransitError) in try parser.hasNext(&frame, outer: outer) },
      { parser throws(TransitError) in try parser.hasNext(&frame, outer: outer) })
    if more {
      open[open.count - 1].frame = frame
      itemDue = true
    } else {
      open.removeLast()
    }
    return more
  }

  // MARK: Values

  /// Reads the next value, whatever it is.
  public mutating func readValue() throws(TransitError) -> TransitValue {
    try claim()
    return try read(
      { parser throws(TransitError) in
        try parser.value()
        return parser.sink.stack.pop()
      },
      { parser throws(TransitError) in
        try parser.value()
        return parser.sink.stack.pop()
      })
  }

  private mutating func expect<R>(_ what: String, _ get: (TransitValue) -> R?) throws(TransitError) -> R {
    let start = position
    let value = try readValue()
    guard let result = get(value) else {
      throw TransitError(.typeMismatch, "expected \(what), found \(value.typeName)", offset: start)
    }
    return result
  }

  /// Reads a string. Throws `typeMismatch` for anything else, as all of these do.
  public mutating func readString() throws(TransitError) -> String {
    try expect("a string") { $0.stringValue }
  }

  /// Reads an integer of 64 bits.
  public mutating func readInt() throws(TransitError) -> Int64 { try expect("an integer") { $0.intValue } }

  /// Reads a truth value.
  public mutating func readBool() throws(TransitError) -> Bool { try expect("a bool") { $0.boolValue } }

  /// Reads a double; an integer is none.
  public mutating func readDouble() throws(TransitError) -> Double {
    try expect("a double") { $0.doubleValue }
  }

  /// Reads a keyword.
  public mutating func readKeyword() throws(TransitError) -> Keyword {
    try expect("a keyword") { $0.keywordValue }
  }

  /// Reads a UUID.
  public mutating func readUUID() throws(TransitError) -> UUID { try expect("a UUID") { $0.uuidValue } }

  /// Reads an instant.
  public mutating func readInstant() throws(TransitError) -> Instant {
    try expect("an instant") { $0.instantValue }
  }

  /// Whether the next value is `null`; nothing is consumed. O(1), except for a quoted value at the top.
  public func peekIsNull() throws(TransitError) -> Bool {
    var start = position
    while format != .msgpack, start < bytes.count, bytes[start] <= 0x20 { start += 1 }
    let rest = bytes[start...]
    guard let first = rest.first else { return false }
    if format == .msgpack {
      if first == 0xC0 || rest.starts(with: [0xA2, 0x7E, 0x5F]) { return true }
    } else if rest.starts(with: "null".utf8) || rest.starts(with: "\"~_\"".utf8) {
      return true
    }
    // Null may also be quoted, where a whole message is nothing else, or be spelled with escapes.
    let isQuote = open.isEmpty && (first == UInt8(ascii: "[") || first == UInt8(ascii: "{") || first == 0x92)
    guard isQuote || format != .msgpack && rest.starts(with: "\"\\".utf8) else { return false }
    var copy = self
    return try copy.readValue().isNull
  }

  /// Consumes the next value if it is `null`, and tells whether it was.
  public mutating func readNullIfPresent() throws(TransitError) -> Bool {
    guard try peekIsNull() else { return false }
    _ = try readValue()
    return true
  }

  /// Rewrites the next value as a standalone top-level value of some encoding, without building it. O(what is written)
  ///
  /// - Throws: `tooLarge` beyond the limit of bytes, which holds for all values together.
  public mutating func readEncoded(as target: TransitFormat) throws(TransitError) -> [UInt8] {
    let limit = limits.bytes - relayed
    if target == .msgpack {
      var sink = MessagePackSink(capacity: 256, limit: limit)
      try relay(into: &sink)
      return try handOn(sink.takeTopLevel())
    }
    var sink = JSONSink(verbose: target == .verboseJSON, capacity: 256, limit: limit)
    try relay(into: &sink)
    return try handOn(sink.takeTopLevel())
  }

  private mutating func handOn(_ bytes: [UInt8]) throws(TransitError) -> [UInt8] {
    relayed += bytes.count
    if relayed > limits.bytes { throw .tooLarge(offset: position) }
    return bytes
  }

  /// Skips the next value; it must be valid all the same. O(n).
  public mutating func skipValue() throws(TransitError) {
    var sink = SkippingSink()
    try relay(into: &sink)
  }

  private mutating func relay<Sink: TokenSink & ~Copyable>(into sink: inout Sink) throws(TransitError) {
    try claim()
    let start = position
    let levels = limits.depth - open.count
    var cache = ReadCache()
    swap(&cache, &self.cache)
    let result: Result<Int, TransitError> = bytes.withUnsafeBufferPointer { buffer in
      do throws(TransitError) {
        if format == .msgpack {
          var source = MessagePackSource(buffer, position: start)
          try Transcoding.Relay.copyOne(buffer, &source, &cache, into: &sink, levels: levels)
          return .success(source.position)
        }
        var source = JSONSource(buffer, position: start)
        try Transcoding.Relay.copyOne(buffer, &source, &cache, into: &sink, levels: levels)
        return .success(source.position)
      } catch {
        return .failure(error)
      }
    }
    swap(&cache, &self.cache)
    position = try result.get()
  }

  // MARK: The end

  /// Checks that the top-level value was read whole and nothing follows it but white space in JSON.
  public mutating func finish() throws(TransitError) {
    if !open.isEmpty || itemDue {
      throw TransitError(.misuse, "the value was not read to its end", offset: position)
    }
    skipPadding()
    if position < bytes.count {
      throw TransitError(.trailingBytes, "more bytes follow the value", offset: position)
    }
  }

  /// After a top-level value: whether another one follows, which is read next with an empty cache.
  public mutating func nextTopLevel() throws(TransitError) -> Bool {
    if !open.isEmpty { throw TransitError(.misuse, "the value was not read to its end", offset: position) }
    skipPadding()
    guard position < bytes.count else { return false }
    cache.reset()
    itemDue = true
    return true
  }

  private mutating func skipPadding() {
    guard format != .msgpack else { return }
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
  }
}
