#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Writes Transit-JSON, compact or verbose.
struct JSONSink: EncodingSink, ~Copyable {
  var output: OutputBuffer
  var cache = WriteCache()
  let verbose: Bool
  /// What must stand before the next token: a comma, a colon, or zero for nothing.
  var separator: UInt8 = 0
  /// Whether the top-level value is a composite, which needs no quote.
  var isComposite = false

  init(verbose: Bool, capacity: Int, limit: Int = .max) {
    self.verbose = verbose
    output = OutputBuffer(capacity: capacity, limit: limit)
  }

  @inline(__always)
  var isFull: Bool { output.isFull }

  /// Makes room for a token of up to `size` bytes and writes what must stand before it.
  @inline(__always)
  private mutating func open(_ size: Int) {
    output.reserve(size &+ 8)
    if separator != 0 { output.put(separator) }
  }

  @inline(__always)
  private mutating func close(key: Bool) {
    separator = key && verbose ? UInt8(ascii: ":") : UInt8(ascii: ",")
  }

  @inline(__always)
  private mutating func literal(_ text: StaticString) {
    open(text.utf8CodeUnitCount)
    output.put(text.utf8Start, text.utf8CodeUnitCount)
    separator = UInt8(ascii: ",")
  }

  @inline(__always)
  mutating func null(key: Bool) {
    if key { tagged(UInt8(ascii: "_"), "", key: true) } else { literal("null") }
  }

  @inline(__always)
  mutating func bool(_ value: Bool, key: Bool) {
    if key {
      tagged(UInt8(ascii: "?"), value ? "t" : "f", key: true)
    } else if value {
      literal("true")
    } else {
      literal("false")
    }
  }

  @inline(__always)
  mutating func int(_ value: Int64, key: Bool) {
    if key || value.magnitude > 1 << 53 - 1 {
      tagged(UInt8(ascii: "i"), String(value), key: key)
    } else {
      open(24)
      number(value)
      separator = UInt8(ascii: ",")
    }
  }

  @inline(__always)
  private mutating func number(_ value: Int64) {
    let magnitude = value.magnitude
    if value < 0 { output.put(UInt8(ascii: "-")) }
    if magnitude < 10 {
      output.put(48 &+ UInt8(truncatingIfNeeded: magnitude))
      return
    }
    // Written backwards from the end of the room for 20 digits, then moved to the front of it.
    let end = output.cursor + 20
    let start = Integers.writeBackwards(magnitude, endingAt: end)
    let length = end - start
    output.cursor.update(from: start, count: length)
    output.count &+= length
  }

  @inline(__always)
  mutating func double(_ value: Double, key: Bool) {
    if let special = special(value) {
      tagged(UInt8(ascii: "z"), special, key: key)
    } else if key {
      tagged(
        UInt8(ascii: "d"),
        String(unsafeUninitializedCapacity: 32) { $0.baseAddress.map { Doubles.write(value, to: $0) } ?? 0 },
        key: true)
    } else {
      open(32)
      output.count &+= Doubles.write(value, to: output.cursor)
      separator = UInt8(ascii: ",")
    }
  }

  mutating func instant(_ value: Instant, key: Bool) {
    if verbose, let text = CivilTime.text(milliseconds: value.milliseconds) {
      tagged(UInt8(ascii: "t"), text, key: key)
    } else if key {
      tagged(UInt8(ascii: "m"), String(value.milliseconds), key: true)
    } else {
      open(32)
      output.put(UInt8(ascii: "\""))
      output.put(UInt8(ascii: "~"))
      output.put(UInt8(ascii: "m"))
      number(value.milliseconds)
      output.put(UInt8(ascii: "\""))
      separator = UInt8(ascii: ",")
    }
  }

  mutating func uuid(_ value: UUID, key: Bool) {
    if key {
      tagged(UInt8(ascii: "u"), UUIDText.text(value), key: true)
      return
    }
    open(40)
    output.put(UInt8(ascii: "\""))
    output.put(UInt8(ascii: "~"))
    output.put(UInt8(ascii: "u"))
    UUIDText.write(value, to: output.cursor)
    output.count &+= 36
    output.put(UInt8(ascii: "\""))
    separator = UInt8(ascii: ",")
  }

  mutating func tagged(_ tag: UInt8, _ body: String, key: Bool) {
    var text = String(Unicode.Scalar(tag)) + body
    text.withUTF8 { bytes in
      if let base = bytes.baseAddress { put(base, bytes.count, .escaped, key: key) }
    }
  }

  @inline(__always)
  mutating func put(_ body: UnsafePointer<UInt8>, _ count: Int, _ kind: TextKind, key: Bool) {
    if !verbose, key || kind.rawValue >= TextKind.keyword.rawValue {
      let length = count &+ kind.prefixCount
      if length >= 4, length >= 12 || Self.isLong(body, count, kind) {
        if let slot = cache.slot(of: body, count, kind) {
          code(slot)
          separator = UInt8(ascii: ",")
          return
        }
      }
    }
    open(count &+ 8)
    output.put(UInt8(ascii: "\""))
    if kind != .string {
      output.put(UInt8(ascii: "~"))
      if kind != .escaped { output.put(kind.mark) }
    }
    content(body, count)
    close(key: key)
  }

  /// Whether a short text has four UTF-16 code units, prefix included. Twelve bytes always have.
  @inline(__always)
  static func isLong(_ body: UnsafePointer<UInt8>, _ count: Int, _ kind: TextKind) -> Bool {
    var units = kind.prefixCount
    var index = 0
    while index < count {
      let byte = body[index]
      if byte & 0xC0 != 0x80 { units &+= byte >= 0xF0 ? 2 : 1 }
      index &+= 1
    }
    return units >= 4
  }

  @inline(__always)
  private mutating func code(_ slot: Int) {
    open(8)
    output.put(UInt8(ascii: "\""))
    output.put(UInt8(ascii: "^"))
    if slot >= 44 { output.put(48 &+ UInt8(truncatingIfNeeded: slot / 44)) }
    output.put(48 &+ UInt8(truncatingIfNeeded: slot % 44))
    output.put(UInt8(ascii: "\""))
  }

  /// Writes the inside of a string and its closing quote. Room for `count` + 8 bytes must have been made.
  @inline(__always)
  private mutating func content(_ body: UnsafePointer<UInt8>, _ count: Int) {
    let raw = UnsafeRawPointer(body)
    var index = 0
    while index &+ 8 <= count {
      let word = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      if JSONSource.special(UInt64(littleEndian: word)) != 0 { break }
      UnsafeMutableRawPointer(output.cursor).storeBytes(of: word, as: UInt64.self)
      output.count &+= 8
      index &+= 8
    }
    while index < count {
      let byte = body[index]
      if byte < 0x20 || byte >= 0x80 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
        return rareContent(body + index, count &- index)
      }
      output.put(byte)
      index &+= 1
    }
    output.put(UInt8(ascii: "\""))
  }

  /// The same for a rest with characters that must be escaped. Those beyond the BMP become pairs of escapes, as
  /// transit-java writes them.
  private mutating func rareContent(_ body: UnsafePointer<UInt8>, _ count: Int) {
    output.reserve(count * 6 + 1)
    var index = 0
    while index < count {
      let byte = body[index]
      index += 1
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): escape(byte)
      case 0x08: escape(UInt8(ascii: "b"))
      case 0x09: escape(UInt8(ascii: "t"))
      case 0x0A: escape(UInt8(ascii: "n"))
      case 0x0C: escape(UInt8(ascii: "f"))
      case 0x0D: escape(UInt8(ascii: "r"))
      case 0..<0x20: escape(unit: UInt16(byte))
      case 0xF0... where index + 2 < count:
        let scalar =
          UInt32(byte & 7) << 18 | UInt32(body[index] & 63) << 12 | UInt32(body[index + 1] & 63) << 6
          | UInt32(body[index + 2] & 63)
        index += 3
        escape(unit: UInt16(truncatingIfNeeded: 0xD800 + ((scalar - 0x10000) >> 10)))
        escape(unit: UInt16(truncatingIfNeeded: 0xDC00 + (scalar & 0x3FF)))
      default: output.put(byte)
      }
    }
    output.put(UInt8(ascii: "\""))
  }

  private mutating func escape(_ character: UInt8) {
    output.put(UInt8(ascii: "\\"))
    output.put(character)
  }

  private mutating func escape(unit: UInt16) {
    escape(UInt8(ascii: "u"))
    for shift in [12, 8, 4, 0] as [UInt16] {
      let digit = UInt8(truncatingIfNeeded: unit >> shift & 15)
      output.put(digit + (digit < 10 ? 48 : 55))
    }
  }

  // MARK: Composites

  @inline(__always)
  mutating func begin(_ kind: Composite, count: Int?) -> Int {
    isComposite = true
    switch kind {
    case .array: bracket(UInt8(ascii: "["))
    case .map:
      if verbose {
        bracket(UInt8(ascii: "{"))
      } else {
        open(8)
        let mark: StaticString = "[\"^ \""
        output.put(mark.utf8Start, 5)
        separator = UInt8(ascii: ",")
      }
    case .set: known("set")
    case .list: known("list")
    case .cmap: known("cmap")
    }
    return 0
  }

  @inline(__always)
  private mutating func bracket(_ byte: UInt8) {
    open(1)
    output.put(byte)
    separator = 0
  }

  @inline(__always)
  private mutating func known(_ tag: StaticString) {
    _ = beginTagged(Text(tag.utf8Start, tag.utf8CodeUnitCount, isASCII: true))
    bracket(UInt8(ascii: "["))
  }

  @inline(__always)
  mutating func end(_ kind: Composite, mark: Int, count: Int, distinct: Bool) {
    output.reserve(2)
    switch kind {
    case .array: output.put(UInt8(ascii: "]"))
    case .map: output.put(verbose ? UInt8(ascii: "}") : UInt8(ascii: "]"))
    case .set, .list, .cmap:
      output.put(UInt8(ascii: "]"))
      output.put(verbose ? UInt8(ascii: "}") : UInt8(ascii: "]"))
    }
    separator = UInt8(ascii: ",")
  }

  @inline(__always)
  mutating func beginTagged(_ tag: Text) -> Int {
    isComposite = true
    bracket(verbose ? UInt8(ascii: "{") : UInt8(ascii: "["))
    put(tag.start, tag.count, .tag, key: verbose)
    return 0
  }

  @inline(__always)
  mutating func endTagged(mark: Int, kind: TagKind) {
    output.reserve(1)
    output.put(verbose ? UInt8(ascii: "}") : UInt8(ascii: "]"))
    separator = UInt8(ascii: ",")
  }
}
