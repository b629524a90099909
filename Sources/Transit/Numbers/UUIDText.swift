#if canImport(FoundationEssentials)
package import FoundationEssentials
#else
package import Foundation
#endif

/// UUIDs as two halves of 64 bits, and as their 36 characters.
package enum UUIDText {
  /// The halves of a UUID, most significant first.
  @inline(__always)
  static func halves(_ uuid: UUID) -> (high: UInt64, low: UInt64) {
    withUnsafeBytes(of: uuid.uuid) { raw in
      (
        UInt64(bigEndian: raw.loadUnaligned(as: UInt64.self)),
        UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      )
    }
  }

  /// A UUID from its halves, most significant first.
  @inline(__always)
  static func uuid(high: UInt64, low: UInt64) -> UUID {
    var bytes: uuid_t = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    withUnsafeMutableBytes(of: &bytes) { raw in
      raw.storeBytes(of: high.bigEndian, as: UInt64.self)
      raw.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
    }
    return UUID(uuid: bytes)
  }

  /// A UUID from 36 characters with hyphens in their places; nil for anything else.
  @inline(__always)
  static func parse(_ text: UnsafePointer<UInt8>, _ count: Int) -> UUID? {
    guard count == 36 else { return nil }
    let dash = UInt8(ascii: "-")
    guard text[8] == dash, text[13] == dash, text[18] == dash, text[23] == dash else { return nil }
    // Each group is read by itself; what is no digit sets a bit beyond its value.
    let a = hex(text, 8)
    let b = hex(text + 9, 4)
    let c = hex(text + 14, 4)
    let d = hex(text + 19, 4)
    let e = hex(text + 24, 12)
    guard (a.bad | b.bad | c.bad | d.bad | e.bad) & 0x80 == 0 else { return nil }
    return uuid(high: a.value << 32 | b.value << 16 | c.value, low: d.value << 48 | e.value)
  }

  @inline(__always)
  private static func hex(_ text: UnsafePointer<UInt8>, _ count: Int) -> (value: UInt64, bad: UInt8) {
    let table = values.utf8Start
    var value: UInt64 = 0
    var bad: UInt8 = 0
    var index = 0
    while index < count {
      let character = text[index]
      let digit = character < 128 ? table[Int(character)] : 0xFF
      bad |= digit
      value = value << 4 | UInt64(digit & 15)
      index &+= 1
    }
    return (value, digit(bad))
  }

  /// "?" marks what is no digit: its bits are turned into the top bit here.
  @inline(__always)
  private static func digit(_ seen: UInt8) -> UInt8 { seen & 0x30 == 0 ? 0 : 0x80 }

  /// For each ASCII character its value as a hexadecimal digit, `?` (0x3F) for none.
  private static let values: StaticString =
    """
    ????????????????????????????????????????????????\u{0}\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}\u{8}\u{9}??????\
    ?\u{A}\u{B}\u{C}\u{D}\u{E}\u{F}?????????????????????????\
    ?\u{A}\u{B}\u{C}\u{D}\u{E}\u{F}?????????????????????????
    """

  /// Writes the 36 characters of a UUID, lower case.
  @inline(__always)
  static func write(_ uuid: UUID, to target: UnsafeMutablePointer<UInt8>) {
    let (high, low) = halves(uuid)
    put(high >> 32, 8, target)
    target[8] = UInt8(ascii: "-")
    put(high >> 16, 4, target + 9)
    target[13] = UInt8(ascii: "-")
    put(high, 4, target + 14)
    target[18] = UInt8(ascii: "-")
    put(low >> 48, 4, target + 19)
    target[23] = UInt8(ascii: "-")
    put(low, 12, target + 24)
  }

  @inline(__always)
  private static func put(_ value: UInt64, _ digits: Int, _ target: UnsafeMutablePointer<UInt8>) {
    var position = digits
    var rest = value
    while position > 0 {
      position &-= 1
      let digit = UInt8(truncatingIfNeeded: rest & 15)
      target[position] = digit &+ (digit < 10 ? 48 : 87)
      rest >>= 4
    }
  }

  /// The 36 characters of a UUID, lower case.
  package static func text(_ uuid: UUID) -> String {
    String(unsafeUninitializedCapacity: 36) { target in
      guard let base = target.baseAddress else { return 0 }
      write(uuid, to: base)
      return 36
    }
  }
}
