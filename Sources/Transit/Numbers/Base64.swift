/// Base64 as RFC 4648 has it: the usual alphabet, padded, one line.
enum Base64 {
  private static let alphabet: StaticString =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

  /// The bytes of a padded text; nil for any other character, a wrong length or padding, or stray bits. O(n).
  static func decode(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    guard text.count % 4 == 0 else { return nil }
    if text.isEmpty { return [] }
    var end = text.count
    if text[end - 1] == UInt8(ascii: "=") { end -= 1 }
    if text[end - 1] == UInt8(ascii: "=") { end -= 1 }
    var result: [UInt8] = []
    result.reserveCapacity(text.count / 4 * 3)
    var bits: UInt32 = 0
    var filled = 0
    for index in 0..<end {
      guard let digit = value(of: text[index]) else { return nil }
      bits = bits << 6 | UInt32(digit)
      filled += 6
      if filled >= 8 {
        filled -= 8
        result.append(UInt8(truncatingIfNeeded: bits >> UInt32(filled)))
      }
    }
    // What is left over after the last byte must be zero, so that every value has one text.
    return bits & ((1 << UInt32(filled)) - 1) == 0 ? result : nil
  }

  private static func value(of character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - 65
    case UInt8(ascii: "a")...UInt8(ascii: "z"): character - 71
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character + 4
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }

  /// The padded text of some bytes. O(n).
  static func encode(_ bytes: [UInt8]) -> String {
    let table = alphabet.utf8Start
    let length = (bytes.count + 2) / 3 * 4
    return String(unsafeUninitializedCapacity: length) { target in
      var output = 0
      var index = 0
      while index < bytes.count {
        let left = bytes.count - index
        let a = UInt32(bytes[index])
        let b = left > 1 ? UInt32(bytes[index + 1]) : 0
        let c = left > 2 ? UInt32(bytes[index + 2]) : 0
        let group = a << 16 | b << 8 | c
        target[output] = table[Int(group >> 18)]
        target[output + 1] = table[Int(group >> 12 & 63)]
        target[output + 2] = left > 1 ? table[Int(group >> 6 & 63)] : UInt8(ascii: "=")
        target[output + 3] = left > 2 ? table[Int(group & 63)] : UInt8(ascii: "=")
        output += 4
        index += 3
      }
      return length
    }
  }
}
