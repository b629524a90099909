/// Base64 as RFC 4648 has it: the usual alphabet, padded, one line.
enum Base64 {
  private static let alphabet: StaticString =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

  /// What each character stands for; 255: nothing.
  private static let digits: [UInt8] = {
    var digits = [UInt8](repeating: 255, count: 256)
    for digit in 0..<64 { digits[Int(alphabet.utf8Start[digit])] = UInt8(digit) }
    return digits
  }()

  /// The bytes of a padded text; nil for any other character, a wrong length or padding, or stray bits. O(n).
  static func decode(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    guard text.count % 4 == 0 else { return nil }
    if text.isEmpty { return [] }
    let padding =
      text[text.count - 1] != UInt8(ascii: "=") ? 0 : text[text.count - 2] != UInt8(ascii: "=") ? 1 : 2
    let count = text.count / 4 * 3 - padding
    return digits.withUnsafeBufferPointer { digits in
      var isValid = true
      let bytes = [UInt8](unsafeUninitializedCapacity: count) { target, filled in
        isValid = decode(text, padding, digits, into: target)
        filled = isValid ? count : 0
      }
      return isValid ? bytes : nil
    }
  }

  private static func decode(
    _ text: UnsafeBufferPointer<UInt8>, _ padding: Int, _ digits: UnsafeBufferPointer<UInt8>,
    into target: UnsafeMutableBufferPointer<UInt8>
  ) -> Bool {
    /// Four digits as 24 bits; more than that when one of them is none.
    func group(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) -> UInt32 {
      let (a, b, c, d) = (digits[Int(a)], digits[Int(b)], digits[Int(c)], digits[Int(d)])
      let bits = UInt32(a) << 18 | UInt32(b) << 12 | UInt32(c) << 6 | UInt32(d)
      return (a | b | c | d) > 63 ? .max : bits
    }
    let whole = text.count - (padding == 0 ? 0 : 4)
    var output = 0
    for index in stride(from: 0, to: whole, by: 4) {
      let bits = group(text[index], text[index + 1], text[index + 2], text[index + 3])
      guard bits != .max else { return false }
      target[output] = UInt8(truncatingIfNeeded: bits >> 16)
      target[output + 1] = UInt8(truncatingIfNeeded: bits >> 8)
      target[output + 2] = UInt8(truncatingIfNeeded: bits)
      output += 3
    }
    guard padding > 0 else { return true }
    let zero = UInt8(ascii: "A")
    let bits = group(text[whole], text[whole + 1], padding == 1 ? text[whole + 2] : zero, zero)
    // What is left over after the last byte must be zero, so that every value has one text.
    guard bits != .max, bits & (padding == 1 ? 0xFF : 0xFFFF) == 0 else { return false }
    target[output] = UInt8(truncatingIfNeeded: bits >> 16)
    if padding == 1 { target[output + 1] = UInt8(truncatingIfNeeded: bits >> 8) }
    return true
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
