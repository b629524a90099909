/// The bytes of a text while a reader looks at it: valid UTF-8, in the input or in the reader's scratch buffer.
///
/// It is good until the next token is read.
struct Text {
  let start: UnsafePointer<UInt8>
  let count: Int
  /// Whether no byte is above 0x7F.
  let isASCII: Bool

  @inline(__always)
  init(_ start: UnsafePointer<UInt8>, _ count: Int, isASCII: Bool) {
    self.start = start
    self.count = count
    self.isASCII = isASCII
  }

  @inline(__always)
  var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: count) }

  /// The text without its first bytes, which must be ASCII.
  @inline(__always)
  func dropping(_ prefix: Int) -> Text { Text(start + prefix, count &- prefix, isASCII: isASCII) }

  @inline(__always)
  var string: String { String(decoding: bytes, as: UTF8.self) }

  /// The length as the cache of Transit counts it, in UTF-16 code units, is at least four.
  @inline(__always)
  var isLongEnoughToCache: Bool {
    if count < 4 { return false }
    return isASCII || UTF8Text.utf16CountIsAtLeastFour(bytes)
  }

  /// Whether a reader or writer must remember this text, given in its final form with all prefixes.
  @inline(__always)
  func isCacheable(asKey: Bool) -> Bool {
    guard isLongEnoughToCache else { return false }
    if asKey { return true }
    guard start[0] == UInt8(ascii: "~") else { return false }
    let second = start[1]
    return second == UInt8(ascii: ":") || second == UInt8(ascii: "$") || second == UInt8(ascii: "#")
  }
}

/// A quick hash of texts. Equal texts of one kind have equal hashes; seeded for each process where it guards a table.
enum TextHash {
  static let seed: UInt64 = {
    var generator = SystemRandomNumberGenerator()
    return generator.next() | 1
  }()

  @inline(__always)
  private static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }

  @inline(__always)
  static func hash(_ bytes: UnsafePointer<UInt8>, _ count: Int, _ kind: TextKind, seed: UInt64) -> UInt64 {
    let raw = UnsafeRawPointer(bytes)
    var state = seed ^ UInt64(kind.rawValue) &* 0x9E37_79B9_7F4A_7C15
    var index = 0
    while index &+ 8 <= count {
      state = mix(
        state ^ raw.loadUnaligned(fromByteOffset: index, as: UInt64.self), 0xA076_1D64_78BD_642F ^ seed)
      index &+= 8
    }
    var tail: UInt64 = 0
    while index < count {
      tail = tail << 8 | UInt64(bytes[index])
      index &+= 1
    }
    return mix(state ^ tail, 0xE703_7ED1_A0B4_28DB ^ UInt64(count))
  }
}

/// What Transit knows about UTF-8 beyond the standard library.
enum UTF8Text {
  /// Whether a valid text has at least four UTF-16 code units.
  static func utf16CountIsAtLeastFour(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    var units = 0
    for byte in bytes {
      // One unit for each scalar, two for those beyond the BMP; continuation bytes count nothing.
      if byte & 0xC0 != 0x80 { units += byte >= 0xF0 ? 2 : 1 }
      if units >= 4 { return true }
    }
    return false
  }

  /// The position of the first byte that is not part of valid UTF-8; nil if all is valid. O(n).
  static func firstInvalid(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    var index = 0
    let count = bytes.count
    while index < count {
      let lead = bytes[index]
      if lead < 0x80 {
        index += 1
        continue
      }
      let length: Int
      var lower: UInt8 = 0x80
      var upper: UInt8 = 0xBF
      switch lead {
      case 0xC2...0xDF: length = 2
      case 0xE0: (length, lower) = (3, 0xA0)
      case 0xED: (length, upper) = (3, 0x9F)
      case 0xE1...0xEF: length = 3
      case 0xF0: (length, lower) = (4, 0x90)
      case 0xF1...0xF3: length = 4
      case 0xF4: (length, upper) = (4, 0x8F)
      default: return index
      }
      guard index + length <= count, bytes[index + 1] >= lower, bytes[index + 1] <= upper else {
        return index
      }
      for offset in 2..<max(length, 2) where bytes[index + offset] & 0xC0 != 0x80 { return index }
      index += length
    }
    return nil
  }

  /// Whether all bytes are below 0x80.
  @inline(__always)
  static func isASCII(_ start: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    let raw = UnsafeRawPointer(start)
    var index = 0
    var seen: UInt64 = 0
    while index &+ 8 <= count {
      seen |= raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      index &+= 8
    }
    while index < count {
      seen |= UInt64(start[index])
      index &+= 1
    }
    return seen & 0x8080_8080_8080_8080 == 0
  }
}
