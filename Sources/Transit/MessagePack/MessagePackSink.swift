#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Writes Transit-MessagePack, with the type codes that old readers know: no `str8`, no `bin`, no `ext`.
struct MessagePackSink: EncodingSink, ~Copyable {
  var output: OutputBuffer
  var cache = WriteCache()
  /// Whether the top-level value is a composite, which needs no quote.
  var isComposite = false
  /// Headers of one byte whose counts turned out to need more, in the order in which they ended.
  private var widenings: [(offset: Int, count: Int, isMap: Bool)] = []

  init(capacity: Int, limit: Int = .max) {
    output = OutputBuffer(capacity: capacity, limit: limit)
  }

  @inline(__always)
  var isFull: Bool { output.isFull }

  @inline(__always)
  private mutating func byte(_ value: UInt8) {
    output.reserve(1)
    output.put(value)
  }

  @inline(__always)
  mutating func null(key: Bool) { byte(0xC0) }

  @inline(__always)
  mutating func bool(_ value: Bool, key: Bool) { byte(value ? 0xC3 : 0xC2) }

  @inline(__always)
  mutating func int(_ value: Int64, key: Bool) {
    output.reserve(9)
    if value >= 0 {
      if value < 0x80 {
        output.put(UInt8(truncatingIfNeeded: value))
      } else if value <= 0xFF {
        output.put(0xCC)
        output.put(UInt8(truncatingIfNeeded: value))
      } else if value <= 0xFFFF {
        output.put(0xCD)
        output.put(bigEndian: UInt16(truncatingIfNeeded: value))
      } else if value <= 0xFFFF_FFFF {
        output.put(0xCE)
        output.put(bigEndian: UInt32(truncatingIfNeeded: value))
      } else {
        output.put(0xCF)
        output.put(bigEndian: value)
      }
    } else if value >= -32 {
      output.put(UInt8(truncatingIfNeeded: value))
    } else if value >= -0x80 {
      output.put(0xD0)
      output.put(UInt8(truncatingIfNeeded: value))
    } else if value >= -0x8000 {
      output.put(0xD1)
      output.put(bigEndian: Int16(truncatingIfNeeded: value))
    } else if value >= -0x8000_0000 {
      output.put(0xD2)
      output.put(bigEndian: Int32(truncatingIfNeeded: value))
    } else {
      output.put(0xD3)
      output.put(bigEndian: value)
    }
  }

  @inline(__always)
  mutating func double(_ value: Double, key: Bool) {
    if let special = special(value) {
      tagged(UInt8(ascii: "z"), special, key: key)
    } else {
      output.reserve(9)
      output.put(0xCB)
      output.put(bigEndian: value.bitPattern)
    }
  }

  @inline(__always)
  mutating func instant(_ value: Instant, key: Bool) {
    if key { return tagged(UInt8(ascii: "m"), String(value.milliseconds), key: true) }
    shortTag(UInt8(ascii: "m"))
    int(value.milliseconds, key: false)
  }

  @inline(__always)
  mutating func uuid(_ value: UUID, key: Bool) {
    if key { return tagged(UInt8(ascii: "u"), UUIDText.text(value), key: true) }
    shortTag(UInt8(ascii: "u"))
    let (high, low) = UUIDText.halves(value)
    byte(0x92)
    int(Int64(bitPattern: high), key: false)
    int(Int64(bitPattern: low), key: false)
  }

  /// The beginning of `["~#x", …]`, whose tag is too short for the cache.
  @inline(__always)
  private mutating func shortTag(_ tag: UInt8) {
    output.reserve(5)
    output.put(0x92)
    output.put(0xA3)
    output.put(UInt8(ascii: "~"))
    output.put(UInt8(ascii: "#"))
    output.put(tag)
  }

  mutating func tagged(_ tag: UInt8, _ body: String, key: Bool) {
    var text = String(Unicode.Scalar(tag)) + body
    text.withUTF8 { bytes in
      if let base = bytes.baseAddress { put(base, bytes.count, .escaped, key: key) }
    }
  }

  @inline(__always)
  mutating func put(_ body: UnsafePointer<UInt8>, _ count: Int, _ kind: TextKind, key: Bool) {
    let length = count &+ kind.prefixCount
    if key || kind.rawValue >= TextKind.keyword.rawValue {
      if length >= 4, length >= 12 || JSONSink.isLong(body, count, kind) {
        if let slot = cache.slot(of: body, count, kind) { return code(slot) }
      }
    }
    output.reserve(length &+ 5)
    if length < 32 {
      output.put(0xA0 | UInt8(truncatingIfNeeded: length))
    } else if length <= 0xFFFF {
      output.put(0xDA)
      output.put(bigEndian: UInt16(truncatingIfNeeded: length))
    } else {
      output.put(0xDB)
      output.put(bigEndian: UInt32(truncatingIfNeeded: length))
    }
    if kind != .string {
      output.put(UInt8(ascii: "~"))
      if kind != .escaped { output.put(kind.mark) }
    }
    output.put(body, count)
  }

  @inline(__always)
  private mutating func code(_ slot: Int) {
    output.reserve(4)
    if slot < 44 {
      output.put(0xA2)
      output.put(UInt8(ascii: "^"))
    } else {
      output.put(0xA3)
      output.put(UInt8(ascii: "^"))
      output.put(48 &+ UInt8(truncatingIfNeeded: slot / 44))
    }
    output.put(48 &+ UInt8(truncatingIfNeeded: slot % 44))
  }

  // MARK: Composites

  @inline(__always)
  private mutating func header(_ count: Int, isMap: Bool) {
    output.reserve(5)
    if count < 16 {
      output.put((isMap ? 0x80 : 0x90) | UInt8(truncatingIfNeeded: count))
    } else if count <= 0xFFFF {
      output.put(isMap ? 0xDE : 0xDC)
      output.put(bigEndian: UInt16(truncatingIfNeeded: count))
    } else {
      output.put(isMap ? 0xDF : 0xDD)
      output.put(bigEndian: UInt32(truncatingIfNeeded: count))
    }
  }

  /// Begins a composite. The mark is where a header without count must be completed; -1 if it is complete.
  @inline(__always)
  mutating func begin(_ kind: Composite, count: Int?) -> Int {
    isComposite = true
    switch kind {
    case .set: known("set")
    case .list: known("list")
    case .cmap: known("cmap")
    case .array, .map: break
    }
    if let count {
      header(count, isMap: kind == .map)
      return -1
    }
    byte(kind == .map ? 0x80 : 0x90)
    return output.count &- 1
  }

  @inline(__always)
  private mutating func known(_ tag: StaticString) {
    _ = beginTagged(Text(tag.utf8Start, tag.utf8CodeUnitCount, isASCII: true))
  }

  @inline(__always)
  mutating func end(_ kind: Composite, mark: Int, count: Int, distinct: Bool) {
    if mark < 0 { return }
    let items = kind == .map ? count / 2 : count
    if items < 16 {
      output.base[mark] |= UInt8(truncatingIfNeeded: items)
    } else {
      widenings.append((mark, items, kind == .map))
    }
  }

  @inline(__always)
  mutating func beginTagged(_ tag: Text) -> Int {
    isComposite = true
    byte(0x92)
    put(tag.start, tag.count, .tag, key: false)
    return 0
  }

  @inline(__always)
  mutating func endTagged(mark: Int, kind: TagKind) {}

  /// Completes the headers that need more than a byte, in one pass over what was written. Offsets change.
  mutating func complete() {
    if widenings.isEmpty { return }
    widenings.sort { $0.offset < $1.offset }
    var growth = 0
    for widening in widenings { growth += widening.count <= 0xFFFF ? 2 : 4 }
    var end = output.count
    output.open(gap: growth, at: end)
    // From the last to the first: move what follows a header to its final place, then write the header before it.
    for widening in widenings.reversed() {
      let rest = widening.offset + 1
      let base = output.base
      (base + rest + growth).update(from: base + rest, count: end - rest)
      growth -= widening.count <= 0xFFFF ? 2 : 4
      let header = UnsafeMutableRawPointer(base + widening.offset + growth)
      if widening.count <= 0xFFFF {
        header.storeBytes(of: widening.isMap ? 0xDE : 0xDC, as: UInt8.self)
        header.storeBytes(of: UInt16(widening.count).bigEndian, toByteOffset: 1, as: UInt16.self)
      } else {
        header.storeBytes(of: widening.isMap ? 0xDF : 0xDD, as: UInt8.self)
        header.storeBytes(
          of: UInt32(truncatingIfNeeded: widening.count).bigEndian, toByteOffset: 1, as: UInt32.self)
      }
      end = widening.offset
    }
    widenings.removeAll()
  }
}
