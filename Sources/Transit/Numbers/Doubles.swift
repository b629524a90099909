/// Reading and writing of doubles as decimal text.
enum Doubles {
  /// Powers of ten that a double holds exactly.
  private static let powers: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19,
    1e20, 1e21, 1e22,
  ]

  /// The double nearest to `digits × 10^exponent`, where that takes one exact operation; nil otherwise.
  @inline(__always)
  static func exact(digits: UInt64, exponent: Int) -> Double? {
    guard digits <= 1 << 53, exponent >= -22, exponent <= 22 else { return nil }
    let value = Double(digits)
    return powers.withUnsafeBufferPointer { exponent < 0 ? value / $0[-exponent] : value * $0[exponent] }
  }

  /// The double nearest to the text of a number, in the grammar of JSON plus `.5`, `5.` and a leading `+`.
  ///
  /// Nil for anything else; infinite where the number is too large. O(n).
  static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
    for byte in bytes {
      switch byte {
      case 48...57, UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "e"),
        UInt8(ascii: "E"):
        continue
      default: return nil
      }
    }
    return Double(String(decoding: bytes, as: UTF8.self))
  }

  /// Writes the shortest text that reads back as the same double, laid out as Java does (`1.0`, `4.0E11`).
  ///
  /// Needs 32 bytes and a finite value; the text is also valid JSON and EDN.
  ///
  /// - Returns: how many bytes were written.
  static func write(_ value: Double, to target: UnsafeMutablePointer<UInt8>) -> Int {
    var cursor = target
    var magnitude = value
    if value.sign == .minus {
      cursor[0] = UInt8(ascii: "-")
      cursor += 1
      magnitude = -value
    }
    if magnitude < 1e7, magnitude >= 1e-3 || magnitude == 0 {
      // Four decimals cover what people and sensors write; one division proves that nothing was lost.
      let scaled = (magnitude * 10_000).rounded()
      if scaled / 10_000 == magnitude {
        let whole = UInt64(scaled)
        let (integer, fraction) = whole.quotientAndRemainder(dividingBy: 10_000)
        return cursor - target + put(integer, Int(fraction), to: cursor)
      }
    }
    return cursor - target + slow(magnitude, to: cursor)
  }

  private static func put(_ integer: UInt64, _ fraction: Int, to target: UnsafeMutablePointer<UInt8>) -> Int {
    let table = Integers.pairs.utf8Start
    var length = 0
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { scratch in
      guard let base = scratch.baseAddress else { return }
      let end = base + 20
      let start = Integers.writeBackwards(integer, endingAt: end)
      length = end - start
      target.update(from: start, count: length)
    }
    target[length] = UInt8(ascii: ".")
    let (high, low) = fraction.quotientAndRemainder(dividingBy: 100)
    target[length + 1] = table[high * 2]
    target[length + 2] = table[high * 2 + 1]
    target[length + 3] = table[low * 2]
    target[length + 4] = table[low * 2 + 1]
    var count = length + 5
    while target[count - 1] == 48, count > length + 2 { count -= 1 }
    return count
  }

  /// Takes the shortest digits from the standard library and lays them out anew.
  private static func slow(_ magnitude: Double, to target: UnsafeMutablePointer<UInt8>) -> Int {
    var text = magnitude.description
    return text.withUTF8 { bytes in
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { digits in
        layOut(bytes, digits: digits, to: target)
      }
    }
  }

  private static func layOut(
    _ text: UnsafeBufferPointer<UInt8>, digits: UnsafeMutableBufferPointer<UInt8>,
    to target: UnsafeMutablePointer<UInt8>
  ) -> Int {
    // digits × 10^point, the point being after the first `point` digits.
    var count = 0
    var point = 0
    var pointSeen = false
    var exponent = 0
    var index = 0
    while index < text.count {
      let byte = text[index]
      if byte == UInt8(ascii: ".") {
        pointSeen = true
      } else if byte == UInt8(ascii: "e") {
        exponent = Int(Integers.parse(UnsafeBufferPointer(rebasing: text[(index + 1)...])) ?? 0)
        break
      } else if count > 0 || byte != 48 {
        digits[count] = byte
        count += 1
        if !pointSeen { point += 1 }
      } else if pointSeen {
        point -= 1
      }
      index += 1
    }
    while count > 1, digits[count - 1] == 48 { count -= 1 }
    point += exponent
    var output = 0
    func put(_ byte: UInt8) {
      target[output] = byte
      output += 1
    }
    func digit(_ position: Int) { put(position < count ? digits[position] : 48) }
    if point > -3, point <= 7 {
      let whole = max(point, 0)
      if whole == 0 { put(48) } else { for position in 0..<whole { digit(position) } }
      put(UInt8(ascii: "."))
      if point < 0 { for _ in point..<0 { put(48) } }
      for position in whole..<max(count, whole + 1) { digit(position) }
    } else {
      digit(0)
      put(UInt8(ascii: "."))
      for position in 1..<max(count, 2) { digit(position) }
      put(UInt8(ascii: "E"))
      let scientific = point - 1
      if scientific < 0 { put(UInt8(ascii: "-")) }
      let power = scientific.magnitude
      if power >= 100 { put(48 &+ UInt8(power / 100)) }
      if power >= 10 { put(48 &+ UInt8(power / 10 % 10)) }
      put(48 &+ UInt8(power % 10))
    }
    return output
  }
}
