/// Reads EDN: one value, with comments and discards.
struct EDNParser {
  private let bytes: [UInt8]
  private var position = 0
  private var levels: Int

  init(_ text: String, limits: TransitLimits) {
    bytes = Array(text.utf8)
    // A scalar counts as a level here, not in the limit.
    levels = limits.depth < .max ? limits.depth + 1 : .max
  }

  private func fail(_ code: TransitError.Code, _ message: String, at offset: Int? = nil) -> TransitError {
    TransitError(code, message, offset: offset ?? position)
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  /// The only value of the text.
  mutating func whole() throws(TransitError) -> TransitValue {
    let result = try value()
    try skip()
    if position < bytes.count { throw fail(.trailingBytes, "more text follows the value") }
    return result
  }

  /// Skips white space, commas, comments and discarded values.
  private mutating func skip() throws(TransitError) {
    while let byte = next {
      if byte <= 0x20 || byte == UInt8(ascii: ",") {
        position += 1
      } else if byte == UInt8(ascii: ";") {
        while let byte = next, byte != 0x0A {
          _ = byte
          position += 1
        }
      } else if byte == UInt8(ascii: "#"), position + 1 < bytes.count,
        bytes[position + 1] == UInt8(ascii: "_")
      {
        position += 2
        _ = try value()
      } else {
        return
      }
    }
  }

  private mutating func descend() throws(TransitError) {
    levels -= 1
    if levels < 0 { throw fail(.tooDeep, "values are nested deeper than the limit") }
  }

  mutating func value() throws(TransitError) -> TransitValue {
    try descend()
    defer { levels += 1 }
    try skip()
    guard let byte = next else { throw fail(.truncated, "the text ends where a value was expected") }
    let start = position
    switch byte {
    case UInt8(ascii: "["): return .array(try items(until: "]"))
    case UInt8(ascii: "("): return .list(try items(until: ")"))
    case UInt8(ascii: "{"): return .map(try map())
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "\\"): return .char(try char())
    case UInt8(ascii: "#"): return try dispatch()
    case UInt8(ascii: "^"): return try metadata()
    case UInt8(ascii: ":"):
      position += 1
      let name = token()
      guard !name.isEmpty else { throw fail(.malformed, "a keyword without a name", at: start) }
      return .keyword(Keyword(name))
    default:
      let name = token()
      guard !name.isEmpty else {
        throw fail(.malformed, "unexpected '\(Character(Unicode.Scalar(byte)))'", at: start)
      }
      return try atom(name, at: start)
    }
  }

  private mutating func items(until close: Unicode.Scalar) throws(TransitError) -> [TransitValue] {
    position += 1
    var items: [TransitValue] = []
    while true {
      try skip()
      guard let byte = next else { throw fail(.truncated, "the text ends inside a collection") }
      if byte == UInt8(ascii: close) {
        position += 1
        return items
      }
      do throws(TransitError) {
        items.append(try value())
      } catch {
        throw error.inside(.index(items.count))
      }
    }
  }

  private mutating func map() throws(TransitError) -> TransitMap {
    let start = position
    let flat = try items(until: "}")
    if flat.count & 1 == 1 { throw fail(.oddMap, "a map has a key without a value", at: start) }
    return TransitMap(flat: FlatValues(flat), distinct: false)
  }

  /// The characters of a name or number from here.
  private mutating func token() -> String {
    let start = position
    while let byte = next {
      switch byte {
      case 0...0x20, 0x7F, UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "["), UInt8(ascii: "]"),
        UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "\""), UInt8(ascii: ";"), UInt8(ascii: ","),
        UInt8(ascii: "\\"), UInt8(ascii: "`"), UInt8(ascii: "~"), UInt8(ascii: "@"):
        return String(decoding: bytes[start..<position], as: UTF8.self)
      default: position += 1
      }
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private func atom(_ name: String, at start: Int) throws(TransitError) -> TransitValue {
    switch name {
    case "nil": return .null
    case "true": return .bool(true)
    case "false": return .bool(false)
    default: break
    }
    let scalars = Array(name.unicodeScalars.prefix(2))
    let signed = scalars[0] == "-" || scalars[0] == "+"
    guard scalars[0].isDigit || signed && scalars.count > 1 && scalars[1].isDigit else {
      return .symbol(Symbol(name))
    }
    if let value = number(name) { return value }
    throw fail(.numberOutOfRange, "'\(name.prefix(40))' is not a number", at: start)
  }

  private func number(_ name: String) -> TransitValue? {
    if let value = Int64(name) { return .int(value) }
    if name.hasSuffix("N") { return TransitBigInteger(name.dropLast()).map { .bigInt($0) } }
    if name.hasSuffix("M") { return TransitBigDecimal(name.dropLast()).map { .bigDecimal($0) } }
    if let slash = name.utf8.firstIndex(of: UInt8(ascii: "/")) {
      guard let over = TransitBigInteger(name[..<slash]),
        let under = TransitBigInteger(name[name.utf8.index(after: slash)...]), under.text != "0"
      else { return nil }
      return .ratio(TransitRatio(over, under))
    }
    if let value = TransitBigInteger(name) { return .bigInt(value) }
    var copy = name
    guard let value = copy.withUTF8({ Doubles.parse($0) }), value.isFinite else { return nil }
    return .double(value)
  }

  private mutating func string() throws(TransitError) -> String {
    let start = position
    position += 1
    var content: [UInt8] = []
    while let byte = next {
      position += 1
      if byte == UInt8(ascii: "\"") { return String(decoding: content, as: UTF8.self) }
      guard byte == UInt8(ascii: "\\") else {
        content.append(byte)
        continue
      }
      guard let escape = next else { break }
      position += 1
      switch escape {
      case UInt8(ascii: "n"): content.append(0x0A)
      case UInt8(ascii: "t"): content.append(0x09)
      case UInt8(ascii: "r"): content.append(0x0D)
      case UInt8(ascii: "b"): content.append(0x08)
      case UInt8(ascii: "f"): content.append(0x0C)
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): content.append(escape)
      case UInt8(ascii: "u"): content.append(contentsOf: String(try escapedScalar()).utf8)
      default: throw fail(.malformed, "an unknown escape in a string", at: position - 2)
      }
    }
    throw fail(.truncated, "the text ends inside a string", at: start)
  }

  private mutating func hexUnit() -> UInt32? {
    guard position + 4 <= bytes.count else { return nil }
    let digits = String(decoding: bytes[position..<position + 4], as: UTF8.self)
    guard !digits.hasPrefix("+"), !digits.hasPrefix("-"), let unit = UInt32(digits, radix: 16) else {
      return nil
    }
    position += 4
    return unit
  }

  /// The character of an escape, after its `\u`; two escapes for one beyond the BMP.
  private mutating func escapedScalar() throws(TransitError) -> Unicode.Scalar {
    let start = position - 2
    guard let first = hexUnit() else {
      throw fail(.malformed, "an escape needs four hexadecimal digits", at: start)
    }
    if let scalar = Unicode.Scalar(first) { return scalar }
    if first < 0xDC00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
      bytes[position + 1] == UInt8(ascii: "u")
    {
      position += 2
      if let second = hexUnit(), second & 0xFC00 == 0xDC00,
        let scalar = Unicode.Scalar(0x10000 + ((first & 0x3FF) << 10 | (second & 0x3FF)))
      {
        return scalar
      }
    }
    throw fail(.loneSurrogate, "half of a surrogate pair is escaped without the other half", at: start)
  }

  private mutating func char() throws(TransitError) -> Unicode.Scalar {
    let start = position
    position += 1
    // The first character counts even if it would end a name.
    let rest = String(decoding: bytes[position..<min(position + 4, bytes.count)], as: UTF8.self)
    guard let first = rest.unicodeScalars.first else {
      throw fail(.truncated, "the text ends after '\\'", at: start)
    }
    position += first.utf8Count
    let more = token()
    if more.isEmpty { return first }
    let name = String(first) + more
    switch name {
    case "newline": return "\n"
    case "return": return "\r"
    case "space": return " "
    case "tab": return "\t"
    case "formfeed": return "\u{C}"
    case "backspace": return "\u{8}"
    default:
      let digits = name.dropFirst()
      if first == "u", digits.utf8.count == 4, let value = UInt32(digits, radix: 16),
        let scalar = Unicode.Scalar(value)
      {
        return scalar
      }
      throw fail(.malformed, "'\\\(name.prefix(20))' is not a character", at: start)
    }
  }

  private mutating func metadata() throws(TransitError) -> TransitValue {
    position += 1
    let meta = try value()
    return .tagged("with-meta", .array([try value(), meta]))
  }

  private mutating func dispatch() throws(TransitError) -> TransitValue {
    let start = position
    position += 1
    guard let byte = next else { throw fail(.truncated, "the text ends after '#'", at: start) }
    if byte == UInt8(ascii: "{") { return .set(TransitSet(try items(until: "}"))) }
    if byte == UInt8(ascii: "#") {
      position += 1
      switch token() {
      case "NaN": return .double(.nan)
      case "Inf": return .double(.infinity)
      case "-Inf": return .double(-.infinity)
      default: throw fail(.malformed, "'##' needs NaN, Inf or -Inf", at: start)
      }
    }
    let tag = token()
    if tag.isEmpty { throw fail(.malformed, "'#' without a tag", at: start) }
    let rep = try value()
    do throws(TransitError) {
      return try Self.tagged(tag, rep, at: start)
    } catch {
      throw error.moved(to: start)
    }
  }

  private static func tagged(_ tag: String, _ rep: TransitValue, at start: Int) throws(TransitError)
    -> TransitValue
  {
    switch (tag, rep) {
    case ("inst", .string): return try Scalars.decode(tag: "t", rep: rep, offset: start)
    case ("uuid", .string): return try Scalars.decode(tag: "u", rep: rep, offset: start)
    case ("transit", .array(let parts)):
      if parts.count == 2, case .string(let tag) = parts[0], !tag.isEmpty {
        return try TransitTagged(tag: tag, rep: parts[1]).resolved(offset: start)
      }
    case ("inst", _), ("uuid", _), ("transit", _): break
    default: return try TransitTagged(tag: tag, rep: rep).resolved(offset: start)
    }
    throw TransitError(.invalidRepresentation, "the tag '\(tag)' has no such representation", offset: start)
  }
}

extension Unicode.Scalar {
  var utf8Count: Int { value < 0x80 ? 1 : value < 0x800 ? 2 : value < 0x10000 ? 3 : 4 }
}

extension TransitValue {
  /// Reads one value from EDN text. O(n).
  ///
  /// `#inst` and `#uuid` become instants and UUIDs, metadata becomes a value tagged `with-meta`, other tags are kept.
  /// Transit's own scalars are written as `#r "…"` (URI), `#b "…"` (bytes, base64).
  ///
  /// - Throws: ``TransitError`` with the byte offset for anything that is not EDN.
  public init(edn text: String, limits: TransitLimits = .standard) throws(TransitError) {
    var parser = EDNParser(text, limits: limits)
    self = try parser.whole()
  }
}
