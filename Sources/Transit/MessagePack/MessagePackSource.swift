/// Reads MessagePack from bytes: all of it except `ext`, which Transit does not use.
struct MessagePackSource: TokenSource {
  private let base: UnsafePointer<UInt8>
  private let end: Int
  private(set) var position: Int
  private(set) var tokenStart: Int

  private static let empty: StaticString = ""

  init(_ bytes: UnsafeBufferPointer<UInt8>, position: Int) {
    base = bytes.baseAddress ?? Self.empty.utf8Start
    end = bytes.count
    self.position = position
    tokenStart = position
  }

  mutating func skipPadding() {}

  func inputOffset(of text: Text) -> Int? { text.start - base }

  @inline(__always)
  mutating func hasNext(_ frame: inout Frame) throws(TransitError) -> Bool {
    if frame.remaining == 0 { return false }
    frame.remaining &-= 1
    frame.index &+= 1
    return true
  }

  @inline(__always)
  private func truncated() -> TransitError {
    TransitError(.truncated, "the input ends inside a value", offset: end)
  }

  /// The big-endian number of the next bytes.
  @inline(__always)
  private mutating func load<T: FixedWidthInteger>(_ type: T.Type) throws(TransitError) -> T {
    let size = MemoryLayout<T>.size
    guard end &- position >= size else { throw truncated() }
    let value = UnsafeRawPointer(base).loadUnaligned(fromByteOffset: position, as: T.self)
    position &+= size
    return T(bigEndian: value)
  }

  @inline(__always)
  mutating func head() throws(TransitError) -> Head {
    tokenStart = position
    guard position < end else {
      throw TransitError(.truncated, "the input ends where a value was expected", offset: end)
    }
    let byte = base[position]
    position &+= 1
    if byte < 0x80 { return .int(Int64(byte)) }
    if byte < 0x90 { return try object(Int(byte & 0x0F)) }
    if byte < 0xA0 { return try array(Int(byte & 0x0F)) }
    if byte < 0xC0 { return try text(Int(byte & 0x1F)) }
    if byte >= 0xE0 { return .int(Int64(Int8(bitPattern: byte))) }
    return try wide(byte)
  }

  @inline(__always)
  private mutating func wide(_ byte: UInt8) throws(TransitError) -> Head {
    switch byte {
    case 0xC0: return .null
    case 0xC2: return .bool(false)
    case 0xC3: return .bool(true)
    case 0xCA: return .double(Double(Float(bitPattern: try load(UInt32.self))))
    case 0xCB: return .double(Double(bitPattern: try load(UInt64.self)))
    case 0xCC: return .int(Int64(try load(UInt8.self)))
    case 0xCD: return .int(Int64(try load(UInt16.self)))
    case 0xCE: return .int(Int64(try load(UInt32.self)))
    case 0xCF:
      let value = try load(UInt64.self)
      return value <= UInt64(Int64.max) ? .int(Int64(bitPattern: value)) : .unsigned(value)
    case 0xD0: return .int(Int64(try load(Int8.self)))
    case 0xD1: return .int(Int64(try load(Int16.self)))
    case 0xD2: return .int(Int64(try load(Int32.self)))
    case 0xD3: return .int(try load(Int64.self))
    // Old writers said str and bin with one set of codes; all of them hold text in Transit.
    case 0xD9, 0xC4: return try text(Int(try load(UInt8.self)))
    case 0xDA, 0xC5: return try text(Int(try load(UInt16.self)))
    case 0xDB, 0xC6: return try text(Int(try load(UInt32.self)))
    case 0xDC: return try array(Int(try load(UInt16.self)))
    case 0xDD: return try array(Int(try load(UInt32.self)))
    case 0xDE: return try object(Int(try load(UInt16.self)))
    case 0xDF: return try object(Int(try load(UInt32.self)))
    case 0xC1: throw TransitError(.malformed, "0xc1 begins no MessagePack value", offset: tokenStart)
    default:
      throw TransitError(.unsupportedType, "Transit uses no MessagePack extension types", offset: tokenStart)
    }
  }

  /// Every element takes at least a byte, so a count beyond the bytes that remain cannot be true.
  @inline(__always)
  private mutating func array(_ count: Int) throws(TransitError) -> Head {
    guard count <= end &- position else { throw truncated() }
    return .array(count: count)
  }

  @inline(__always)
  private mutating func object(_ count: Int) throws(TransitError) -> Head {
    guard count &* 2 <= end &- position else { throw truncated() }
    return .object(count: count)
  }

  @inline(__always)
  private mutating func text(_ count: Int) throws(TransitError) -> Head {
    guard count <= end &- position else { throw truncated() }
    let start = base + position
    let ascii = UTF8Text.isASCII(start, count)
    if !ascii, let bad = UTF8Text.firstInvalid(UnsafeBufferPointer(start: start, count: count)) {
      throw TransitError(.invalidUTF8, "a string holds bytes that are not UTF-8", offset: position &+ bad)
    }
    position &+= count
    return .text(Text(start, count, isASCII: ascii))
  }
}
