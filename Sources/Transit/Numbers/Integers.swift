/// Reading and writing of decimal integers as ASCII.
enum Integers {
  /// A 64-bit integer: an optional `-` or `+`, then digits only. Nil for anything else and on overflow.
  @inline(__always)
  static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
    guard let base = bytes.baseAddress else { return nil }
    return parse(base, bytes.count)
  }

  @inline(__always)
  static func parse(_ base: UnsafePointer<UInt8>, _ count: Int) -> Int64? {
    var index = 0
    var negative = false
    if count > 0, base[0] == UInt8(ascii: "-") || base[0] == UInt8(ascii: "+") {
      negative = base[0] == UInt8(ascii: "-")
      index = 1
    }
    guard index < count else { return nil }
    if count &- index <= 18 {
      var value: Int64 = 0
      while index < count {
        let digit = base[index] &- 48
        guard digit <= 9 else { return nil }
        value = value &* 10 &+ Int64(digit)
        index &+= 1
      }
      return negative ? 0 &- value : value
    }
    return parseLong(base, count, index, negative)
  }

  private static func parseLong(
    _ base: UnsafePointer<UInt8>, _ count: Int, _ start: Int, _ negative: Bool
  ) -> Int64? {
    var value: Int64 = 0
    var index = start
    while index < count {
      let digit = base[index] &- 48
      guard digit <= 9 else { return nil }
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflow2) = product.subtractingReportingOverflow(Int64(digit))
      if overflow || overflow2 { return nil }
      value = sum
      index += 1
    }
    if negative { return value }
    return value == .min ? nil : -value
  }

  /// "00" "01" … "99", as bytes.
  static let pairs: StaticString =
    """
    00010203040506070809101112131415161718192021222324252627282930313233343536373839\
    40414243444546474849505152535455565758596061626364656667686970717273747576777879\
    8081828384858687888990919293949596979899
    """

  /// Writes the digits of a number backwards from `end`.
  ///
  /// - Returns: where the digits begin. Needs up to 20 bytes before `end`.
  @inline(__always)
  static func writeBackwards(_ number: UInt64, endingAt end: UnsafeMutablePointer<UInt8>)
    -> UnsafeMutablePointer<
      UInt8
    >
  {
    let table = pairs.utf8Start
    var cursor = end
    var rest = number
    while rest >= 100 {
      let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
      cursor -= 2
      cursor[0] = table[Int(pair) &* 2]
      cursor[1] = table[Int(pair) &* 2 &+ 1]
      rest = quotient
    }
    if rest >= 10 {
      cursor -= 2
      cursor[0] = table[Int(rest) &* 2]
      cursor[1] = table[Int(rest) &* 2 &+ 1]
    } else {
      cursor -= 1
      cursor[0] = 48 &+ UInt8(truncatingIfNeeded: rest)
    }
    return cursor
  }
}
