#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// Writes one Transit value token by token, for messages that are not worth a value of their own.
///
/// In a map, keys and values alternate. The writer tracks where it is, caches and escapes; a call that fits nowhere
/// throws `misuse`. A writer cannot be copied; pass it `inout`.
///
/// ```swift
/// var writer = TransitWriter(.json)
/// try writer.beginMap(count: 2)
/// try writer.write(Keyword("name"))
/// try writer.write("Ada")
/// try writer.write(Keyword("document"))
/// try writer.write(encoded: stored, format: .msgpack)
/// try writer.endMap()
/// let bytes = try writer.finish()
/// ```
public struct TransitWriter: ~Copyable, Sendable {
  /// The encoding that is written.
  public let format: TransitFormat
  /// Bounds on what is written.
  public let limits: TransitLimits

  private enum Kind { case array, map, tagged }
  private struct Open {
    let kind: Kind
    let mark: Int
    let promised: Int?
    var items = 0
  }

  // Unsafe, because the sinks write to memory of their own by pointer: an array would be checked for bounds and for other
  // owners at each byte. Sound, because a writer cannot be copied: whoever holds it holds the only way to that memory.
  private nonisolated(unsafe) var json: JSONSink
  private nonisolated(unsafe) var msgpack: MessagePackSink
  private var open: [Open] = []
  private var values = 0

  /// - Parameters:
  ///   - format: the encoding to write.
  ///   - capacity: how many bytes to make room for at once.
  ///   - limits: how deep values may nest, and how much is written.
  public init(_ format: TransitFormat, reservingCapacity capacity: Int = 0, limits: TransitLimits = .standard)
  {
    self.format = format
    self.limits = limits
    json = JSONSink(
      verbose: format == .verboseJSON, capacity: format == .msgpack ? 0 : capacity, limit: limits.bytes)
    msgpack = MessagePackSink(capacity: format == .msgpack ? capacity : 0, limit: limits.bytes)
  }

  /// Of what is written a token at a time.
  private static let usualDepth = 4

  private var levels: Int { limits.depth - open.count }

  private var isFull: Bool { format == .msgpack ? msgpack.isFull : json.isFull }

  /// Claims the place of the next item; tells whether it is the key of a map.
  @inline(__always)
  private mutating func claim() throws(TransitError) -> Bool {
    if isFull { throw .tooLarge() }
    guard let last = open.indices.last else {
      if values > 0 { throw TransitError(.misuse, "a top-level value is complete; finish it first") }
      values += 1
      return false
    }
    let key = open[last].kind == .map && open[last].items & 1 == 0
    if open[last].kind == .tagged, open[last].items == 1 {
      throw TransitError(.misuse, "a tag has one value; end it first")
    }
    open[last].items += 1
    return key
  }

  private mutating func begin(_ kind: Kind, count: Int?) throws(TransitError) {
    if try claim() { throw TransitError(.misuse, "an array or map cannot be the key of a plain map") }
    if open.count >= limits.depth { throw TransitError(.tooDeep, "values are nested deeper than the limit") }
    let composite: Composite = kind == .map ? .map : .array
    // The count is checked at the end, so that a header never lies.
    let mark =
      format == .msgpack ? msgpack.begin(composite, count: count) : json.begin(composite, count: count)
    if open.isEmpty { open.reserveCapacity(Self.usualDepth) }
    open.append(Open(kind: kind, mark: mark, promised: count))
  }

  private mutating func end(_ kind: Kind) throws(TransitError) {
    guard let last = open.last, last.kind == kind else {
      throw TransitError(.misuse, "what ends here was not the last to begin")
    }
    switch kind {
    case .map:
      if last.items & 1 == 1 { throw TransitError(.misuse, "a key has no value") }
      if let promised = last.promised, promised != last.items / 2 {
        throw TransitError(.misuse, "a map was begun with \(promised) entries and has \(last.items / 2)")
      }
    case .array:
      if let promised = last.promised, promised != last.items {
        throw TransitError(.misuse, "an array was begun with \(promised) elements and has \(last.items)")
      }
    case .tagged:
      if last.items != 1 { throw TransitError(.misuse, "a tag needs a value") }
    }
    open.removeLast()
    if kind == .tagged {
      if format != .msgpack { json.endTagged(mark: last.mark, kind: .unknown) }
    } else {
      let composite: Composite = kind == .map ? .map : .array
      if format == .msgpack {
        msgpack.end(composite, mark: last.mark, count: last.items, distinct: true)
      } else {
        json.end(composite, mark: last.mark, count: last.items, distinct: true)
      }
    }
  }

  /// Begins a map of `count` entries: `count` times a key and a value follow, then `endMap`.
  public mutating func beginMap(count: Int) throws(TransitError) { try begin(.map, count: count) }

  /// Begins a map whose number of entries is not known yet.
  public mutating func beginMap() throws(TransitError) { try begin(.map, count: nil) }

  /// Ends a map. Throws `misuse` if the number of entries is not the one promised.
  public mutating func endMap() throws(TransitError) { try end(.map) }

  /// Begins an array of `count` elements, which follow, then `endArray`.
  public mutating func beginArray(count: Int) throws(TransitError) { try begin(.array, count: count) }

  /// Begins an array whose number of elements is not known yet.
  public mutating func beginArray() throws(TransitError) { try begin(.array, count: nil) }

  /// Ends an array. Throws `misuse` if the number of elements is not the one promised.
  public mutating func endArray() throws(TransitError) { try end(.array) }

  /// Begins a tag; one value follows, then `endTagged`. The tag must not be empty.
  public mutating func beginTagged(_ tag: String) throws(TransitError) {
    if tag.isEmpty { throw TransitError(.unencodable, "a tag without a name") }
    if try claim() { throw TransitError(.misuse, "a tag cannot be the key of a plain map") }
    if open.count >= limits.depth { throw TransitError(.tooDeep, "values are nested deeper than the limit") }
    let bytes = Array(tag.utf8)
    bytes.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return }
      let text = Text(base, bytes.count, isASCII: false)
      _ = format == .msgpack ? msgpack.beginTagged(text) : json.beginTagged(text)
    }
    open.append(Open(kind: .tagged, mark: 0, promised: nil))
  }

  /// Ends a tag.
  public mutating func endTagged() throws(TransitError) { try end(.tagged) }

  /// Writes `null`.
  public mutating func writeNull() throws(TransitError) {
    let key = try claim()
    if format == .msgpack { msgpack.null(key: key) } else { json.null(key: key) }
  }

  /// Writes a truth value.
  public mutating func write(_ value: Bool) throws(TransitError) {
    let key = try claim()
    if format == .msgpack { msgpack.bool(value, key: key) } else { json.bool(value, key: key) }
  }

  /// Writes an integer.
  public mutating func write(_ value: Int64) throws(TransitError) {
    let key = try claim()
    if format == .msgpack { msgpack.int(value, key: key) } else { json.int(value, key: key) }
  }

  /// Writes a double.
  public mutating func write(_ value: Double) throws(TransitError) {
    let key = try claim()
    if format == .msgpack { msgpack.double(value, key: key) } else { json.double(value, key: key) }
  }

  /// Writes a string.
  public mutating func write(_ value: String) throws(TransitError) {
    let key = try claim()
    if format == .msgpack { msgpack.string(value, key: key) } else { json.string(value, key: key) }
  }

  /// Writes a keyword. Throws `unencodable` for one without a name.
  public mutating func write(_ value: Keyword) throws(TransitError) {
    if value.text.isEmpty { throw TransitError(.unencodable, "a keyword without a name") }
    let key = try claim()
    if format == .msgpack {
      msgpack.put(value.text, .keyword, key: key)
    } else {
      json.put(value.text, .keyword, key: key)
    }
  }

  /// Writes a UUID.
  public mutating func write(_ value: UUID) throws(TransitError) {
    let key = try claim()
    if format == .msgpack { msgpack.uuid(value, key: key) } else { json.uuid(value, key: key) }
  }

  /// Writes a value of any type; as the key of a map, a scalar.
  public mutating func write(_ value: TransitValue) throws(TransitError) {
    let key = try claim()
    if key, !value.isStringable {
      throw TransitError(
        .misuse, "an array or map cannot be the key of a plain map; write the map as a value")
    }
    if format == .msgpack {
      try msgpack.write(value, key: key, levels: levels)
    } else {
      try json.write(value, key: key, levels: levels)
    }
  }

  /// Writes one complete value that was encoded before, in whichever format, without building it. O(n).
  ///
  /// - Parameters:
  ///   - bytes: exactly one top-level value.
  ///   - source: the encoding of the bytes.
  /// - Throws: what reading the bytes throws; the writer is of no use after that.
  public mutating func write(encoded bytes: [UInt8], format source: TransitFormat) throws(TransitError) {
    if try claim() { throw TransitError(.misuse, "an encoded value cannot be the key of a map") }
    let levels = levels
    if format == .msgpack {
      try Transcoding.copy(bytes, source, into: &msgpack, levels: levels)
    } else {
      try Transcoding.copy(bytes, source, into: &json, levels: levels)
    }
  }

  /// Checks that everything that began has ended, and returns the bytes.
  ///
  /// A scalar at the top is quoted (`["~#'",…]`), as Transit demands. The writer is empty after that.
  public mutating func finish() throws(TransitError) -> [UInt8] {
    if !open.isEmpty { throw TransitError(.misuse, "\(open.count) arrays or maps were not ended") }
    if values == 0 { throw TransitError(.misuse, "nothing was written") }
    if isFull { throw .tooLarge() }
    values = 0
    return format == .msgpack ? msgpack.takeTopLevel() : json.takeTopLevel()
  }

  /// Finishes the value and appends its bytes to a buffer, so that several top-level values can follow each other.
  ///
  /// The writer is ready for the next value, with an empty cache. JSON values are separated by a space where the
  /// buffer does not begin with this one.
  public mutating func finish(into buffer: inout [UInt8]) throws(TransitError) {
    let bytes = try finish()
    if format != .msgpack, !buffer.isEmpty { buffer.append(0x20) }
    buffer.append(contentsOf: bytes)
  }
}
