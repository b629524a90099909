/// Reads JSON from bytes: RFC 8259, strictly, with UTF-8 only.
struct JSONSource: TokenSource {
  let base: UnsafePointer<UInt8>
  let end: Int
  private(set) var position: Int
  private(set) var tokenStart: Int
  /// Holds the last text that had escapes.
  private var scratch: [UInt8] = []

  private static let empty: StaticString = ""

  init(_ bytes: UnsafeBufferPointer<UInt8>, position: Int) {
    base = bytes.baseAddress ?? Self.empty.utf8Start
    end = bytes.count
    self.position = position
    tokenStart = position
  }

  func fail(_ code: TransitError.Code, _ message: String, at offset: Int? = nil) -> TransitError {
    TransitError(code, message, offset: offset ?? position)
  }

  func unexpected(_ expected: String) -> TransitError {
    if position >= end { return fail(.truncated, "the input ends where \(expected) was expected", at: end) }
    return fail(.malformed, "expected \(expected), found \(describe(base[position]))")
  }

  private func describe(_ byte: UInt8) -> String {
    byte > 0x20 && byte < 0x7F ? "'\(Character(Unicode.Scalar(byte)))'" : "byte 0x\(String(byte, radix: 16))"
  }

  @inline(__always)
  mutating func skipSpace() {
    while position < end {
      let byte = base[position]
      if byte > 0x20 { return }
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
      position &+= 1
    }
  }

  mutating func skipPadding() { skipSpace() }

  @inline(__always)
  mutating func hasNext(_ frame: inout Frame) throws(TransitError) -> Bool {
    skipSpace()
    guard position < end else { throw unexpected(frame.isObject ? "',' or '}'" : "',' or ']'") }
    let byte = base[position]
    let index = frame.index
    frame.index = index &+ 1
    if frame.isObject {
      if index & 1 == 1 {
        guard byte == UInt8(ascii: ":") else { throw unexpected("':'") }
        position &+= 1
        return true
      }
      if byte == UInt8(ascii: "}") {
        position &+= 1
        return false
      }
    } else if byte == UInt8(ascii: "]") {
      position &+= 1
      return false
    }
    if index > 0 {
      guard byte == UInt8(ascii: ",") else { throw unexpected(frame.isObject ? "',' or '}'" : "',' or ']'") }
      position &+= 1
      skipSpace()
      // The item itself is read next; a bracket here is a comma too many, which `head` refuses.
    }
    return true
  }

  @inline(__always)
  mutating func head() throws(TransitError) -> Head {
    skipSpace()
    tokenStart = position
    guard position < end else { throw unexpected("a value") }
    switch base[position] {
    case UInt8(ascii: "\""):
      return .text(try text())
    case UInt8(ascii: "["):
      position &+= 1
      return .array(count: nil)
    case UInt8(ascii: "{"):
      position &+= 1
      return .object(count: nil)
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
      return try number()
    case UInt8(ascii: "t"):
      try literal("true")
      return .bool(true)
    case UInt8(ascii: "f"):
      try literal("false")
      return .bool(false)
    case UInt8(ascii: "n"):
      try literal("null")
      return .null
    default:
      throw unexpected("a value")
    }
  }

  @inline(__always)
  private mutating func literal(_ word: StaticString) throws(TransitError) {
    let length = word.utf8CodeUnitCount
    let available = min(length, end &- position)
    guard ExactText.sameBytes(base + position, word.utf8Start, available) else { throw unexpected("a value") }
    guard available == length else { throw fail(.truncated, "the input ends inside '\(word)'", at: end) }
    position &+= length
  }

  func inputOffset(of text: Text) -> Int? {
    let offset = text.start - base
    return offset >= 0 && offset <= end ? offset : nil
  }

  // MARK: Text

  /// Reads a string from its opening quote.
  @inline(__always)
  private mutating func text() throws(TransitError) -> Text {
    let start = position &+ 1
    var cursor = start
    let raw = UnsafeRawPointer(base)
    // Eight bytes at a time until one is a quote, a backslash, a control or not ASCII.
    while cursor &+ 8 <= end {
      let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: cursor, as: UInt64.self))
      let special = Self.special(word)
      if special != 0 {
        cursor &+= special.trailingZeroBitCount &>> 3
        break
      }
      cursor &+= 8
    }
    while cursor < end {
      let byte = base[cursor]
      if byte == UInt8(ascii: "\"") {
        position = cursor &+ 1
        return Text(base + start, cursor &- start, isASCII: true)
      }
      if byte == UInt8(ascii: "\\") || byte < 0x20 || byte >= 0x80 { break }
      cursor &+= 1
    }
    return try rareText(from: start, at: cursor)
  }

  /// Marks the bytes of a word that a string cannot simply contain.
  @inline(__always)
  static func special(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let tops: UInt64 = 0x8080_8080_8080_8080
    let quote = word ^ (ones &* 0x22)
    let backslash = word ^ (ones &* 0x5C)
    let zeros = ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)
    let control = (word &- (ones &* 0x20)) & ~word
    return (zeros | control | word) & tops
  }

  /// The rest of a string that holds escapes, non-ASCII bytes, or an error.
  private mutating func rareText(from start: Int, at first: Int) throws(TransitError) -> Text {
    var cursor = first
    while cursor < end {
      let byte = base[cursor]
      if byte == UInt8(ascii: "\"") {
        let bytes = UnsafeBufferPointer(start: base + start, count: cursor - start)
        if let bad = UTF8Text.firstInvalid(bytes) {
          throw fail(.invalidUTF8, "a string holds bytes that are not UTF-8", at: start + bad)
        }
        position = cursor + 1
        return Text(base + start, cursor - start, isASCII: false)
      }
      if byte == UInt8(ascii: "\\") { return try escapedText(from: start, at: cursor) }
      if byte < 0x20 {
        throw fail(.malformed, "a control character inside a string must be escaped", at: cursor)
      }
      cursor += 1
    }
    throw fail(.truncated, "the input ends inside a string", at: end)
  }

  private mutating func escapedText(from start: Int, at first: Int) throws(TransitError) -> Text {
    scratch.removeAll(keepingCapacity: true)
    scratch.append(contentsOf: UnsafeBufferPointer(start: base + start, count: first - start))
    var cursor = first
    while cursor < end {
      let byte = base[cursor]
      if byte == UInt8(ascii: "\"") {
        return try finishEscaped(from: start, to: cursor)
      } else if byte == UInt8(ascii: "\\") {
        try escape(&cursor)
      } else if byte < 0x20 {
        throw fail(.malformed, "a control character inside a string must be escaped", at: cursor)
      } else {
        let run = cursor
        while cursor < end, base[cursor] != UInt8(ascii: "\""), base[cursor] != UInt8(ascii: "\\"),
          base[cursor] >= 0x20
        { cursor += 1 }
        scratch.append(contentsOf: UnsafeBufferPointer(start: base + run, count: cursor - run))
      }
    }
    throw fail(.truncated, "the input ends inside a string", at: end)
  }

  private mutating func finishEscaped(from start: Int, to quote: Int) throws(TransitError) -> Text {
    // The scratch buffer stays where it is until the next text with escapes, so its address may leave the closure.
    let (bad, address): (Int?, UnsafePointer<UInt8>?) = scratch.withUnsafeBufferPointer {
      (UTF8Text.firstInvalid($0), $0.baseAddress)
    }
    if bad != nil { throw fail(.invalidUTF8, "a string holds bytes that are not UTF-8", at: start) }
    position = quote + 1
    guard let address else { return Text(base + start, 0, isASCII: true) }
    return Text(address, scratch.count, isASCII: UTF8Text.isASCII(address, scratch.count))
  }

  private mutating func escape(_ cursor: inout Int) throws(TransitError) {
    guard cursor + 1 < end else { throw fail(.truncated, "the input ends inside a string", at: end) }
    let kind = base[cursor + 1]
    let plain: UInt8
    switch kind {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): plain = kind
    case UInt8(ascii: "n"): plain = 0x0A
    case UInt8(ascii: "t"): plain = 0x09
    case UInt8(ascii: "r"): plain = 0x0D
    case UInt8(ascii: "b"): plain = 0x08
    case UInt8(ascii: "f"): plain = 0x0C
    case UInt8(ascii: "u"):
      let at = cursor
      let first = try unit(at)
      cursor += 6
      if first & 0xF800 != 0xD800 {
        append(scalar: UInt32(first))
        return
      }
      guard first < 0xDC00, cursor + 1 < end, base[cursor] == UInt8(ascii: "\\"),
        base[cursor + 1] == UInt8(ascii: "u")
      else {
        if cursor + 1 >= end { throw fail(.truncated, "the input ends inside a string", at: end) }
        throw fail(.loneSurrogate, "half of a surrogate pair is escaped without the other half", at: at)
      }
      let second = try unit(cursor)
      guard second & 0xFC00 == 0xDC00 else {
        throw fail(.loneSurrogate, "half of a surrogate pair is escaped without the other half", at: at)
      }
      cursor += 6
      append(scalar: 0x10000 + (UInt32(first & 0x3FF) << 10 | UInt32(second & 0x3FF)))
      return
    default: throw fail(.malformed, "an unknown escape in a string", at: cursor)
    }
    scratch.append(plain)
    cursor += 2
  }

  /// The four hexadecimal digits of an escape that begins at `offset`.
  private func unit(_ offset: Int) throws(TransitError) -> UInt16 {
    var value: UInt16 = 0
    for index in offset + 2..<offset + 6 {
      guard index < end else { throw fail(.truncated, "the input ends inside a string", at: end) }
      let byte = base[index]
      let digit: UInt8
      switch byte {
      case 48...57: digit = byte - 48
      case 65...70: digit = byte - 55
      case 97...102: digit = byte - 87
      default: throw fail(.malformed, "an escape needs four hexadecimal digits", at: index)
      }
      value = value << 4 | UInt16(digit)
    }
    return value
  }

  private mutating func append(scalar: UInt32) {
    guard let scalar = Unicode.Scalar(scalar) else { return }
    scratch.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
  }
}

extension JSONSource {
  /// Reads a number: an integer without fraction and exponent, a double with.
  @inline(__always)
  mutating func number() throws(TransitError) -> Head {
    var cursor = position
    let negative = base[cursor] == UInt8(ascii: "-")
    if negative { cursor &+= 1 }
    let first = cursor
    var digits: UInt64 = 0
    while cursor < end, base[cursor] &- 48 <= 9 {
      digits = digits &* 10 &+ UInt64(base[cursor] &- 48)
      cursor &+= 1
    }
    let integerDigits = cursor &- first
    guard integerDigits > 0 else {
      if cursor >= end { throw fail(.truncated, "the input ends inside a number", at: end) }
      throw fail(.malformed, "a number needs a digit here", at: cursor)
    }
    if base[first] == 48, integerDigits > 1 {
      throw fail(.malformed, "a number cannot begin with 0", at: first)
    }
    if cursor < end {
      let byte = base[cursor]
      if byte == UInt8(ascii: ".") || byte | 0x20 == UInt8(ascii: "e") {
        return .double(try fraction(from: first, at: cursor, digits: digits, negative: negative))
      }
    }
    let start = position
    position = cursor
    if integerDigits <= 18 { return .int(negative ? 0 &- Int64(digits) : Int64(digits)) }
    if let value = Integers.parse(base + start, cursor &- start) { return .int(value) }
    return .digits(Text(base + start, cursor &- start, isASCII: true))
  }

  private mutating func fraction(
    from first: Int, at point: Int, digits: UInt64, negative: Bool
  ) throws(TransitError) -> Double {
    var cursor = point
    var digits = digits
    var exponent = 0
    if base[cursor] == UInt8(ascii: ".") {
      cursor &+= 1
      let start = cursor
      while cursor < end, base[cursor] &- 48 <= 9 {
        digits = digits &* 10 &+ UInt64(base[cursor] &- 48)
        cursor &+= 1
      }
      try needDigit(since: start, at: cursor)
      exponent = start &- cursor
    }
    let significant = cursor &- first
    if cursor < end, base[cursor] | 0x20 == UInt8(ascii: "e") {
      cursor &+= 1
      var negativeExponent = false
      if cursor < end, base[cursor] == UInt8(ascii: "-") || base[cursor] == UInt8(ascii: "+") {
        negativeExponent = base[cursor] == UInt8(ascii: "-")
        cursor &+= 1
      }
      let start = cursor
      var written = 0
      while cursor < end, base[cursor] &- 48 <= 9 {
        if written < 100_000 { written = written &* 10 &+ Int(base[cursor] &- 48) }
        cursor &+= 1
      }
      try needDigit(since: start, at: cursor)
      exponent &+= negativeExponent ? 0 &- written : written
    }
    let start = position
    position = cursor
    // Up to 19 digits fit the integer, one of the characters being the point.
    if significant <= 18, let value = Doubles.exact(digits: digits, exponent: exponent) {
      return negative ? -value : value
    }
    let text = String(
      decoding: UnsafeBufferPointer(start: base + start, count: cursor - start), as: UTF8.self)
    guard let value = Double(text), value.isFinite else {
      throw fail(.numberOutOfRange, "a number is too large for a double", at: start)
    }
    return value
  }

  private func needDigit(since start: Int, at cursor: Int) throws(TransitError) {
    guard cursor == start else { return }
    if cursor >= end { throw fail(.truncated, "the input ends inside a number", at: end) }
    throw fail(.malformed, "a number needs a digit here", at: cursor)
  }
}
