/// Reading of scalars from their text form, `~X…`.
enum Scalars {
  private static func bad(_ what: String, _ body: Text, _ offset: Int?) -> TransitError {
    let shown = body.count > 40 ? "\(body.string.prefix(40))…" : body.string
    return TransitError(.invalidScalar, "'\(shown)' is not \(what)", offset: offset)
  }

  /// The value of a tag of one ASCII character and the text after it. A tag without meaning is kept as `tagged`.
  @inline(__always)
  static func decode(tag: UInt8, _ body: Text, offset: Int?) throws(TransitError) -> TransitValue {
    switch tag {
    case UInt8(ascii: "u"):
      guard let uuid = UUIDText.parse(body.start, body.count) else { throw bad("a UUID", body, offset) }
      return .uuid(uuid)
    case UInt8(ascii: "m"):
      guard let value = Integers.parse(body.bytes) else {
        throw bad("a number of milliseconds", body, offset)
      }
      return .instant(Instant(milliseconds: value))
    default: return try decodeRarely(tag: tag, body, offset: offset)
    }
  }

  private static func decodeRarely(tag: UInt8, _ body: Text, offset: Int?) throws(TransitError)
    -> TransitValue
  {
    switch tag {
    case UInt8(ascii: "_"):
      guard body.count == 0 else { throw bad("nothing, as null must be", body, offset) }
      return .null
    case UInt8(ascii: "?"):
      guard body.count == 1, body.start[0] == UInt8(ascii: "t") || body.start[0] == UInt8(ascii: "f") else {
        throw bad("'t' or 'f'", body, offset)
      }
      return .bool(body.start[0] == UInt8(ascii: "t"))
    case UInt8(ascii: "i"):
      if let value = Integers.parse(body.bytes) { return .int(value) }
      fallthrough
    case UInt8(ascii: "n"):
      guard let value = TransitBigInteger(bytes: body.bytes) else { throw bad("an integer", body, offset) }
      return .bigInt(value)
    case UInt8(ascii: "d"):
      guard let value = Doubles.parse(body.bytes) else { throw bad("a number", body, offset) }
      guard value.isFinite else {
        throw TransitError(.numberOutOfRange, "a number is too large for a double", offset: offset)
      }
      return .double(value)
    case UInt8(ascii: "z"):
      switch body.string {
      case "NaN": return .double(.nan)
      case "INF": return .double(.infinity)
      case "-INF": return .double(-.infinity)
      default: throw bad("'NaN', 'INF' or '-INF'", body, offset)
      }
    case UInt8(ascii: "f"):
      guard let value = TransitBigDecimal(body.string) else { throw bad("a decimal number", body, offset) }
      return .bigDecimal(value)
    case UInt8(ascii: "b"):
      guard let bytes = Base64.decode(body.bytes) else { throw bad("base64", body, offset) }
      return .bytes(bytes)
    case UInt8(ascii: "t"):
      guard let value = CivilTime.parse(body.bytes) else { throw bad("a date", body, offset) }
      return .instant(Instant(milliseconds: value))
    case UInt8(ascii: "r"): return .uri(body.string)
    case UInt8(ascii: "c"):
      var scalars = body.string.unicodeScalars.makeIterator()
      guard let scalar = scalars.next(), scalars.next() == nil else {
        throw bad("one character", body, offset)
      }
      return .char(scalar)
    case UInt8(ascii: ":"):
      guard body.count > 0 else { throw bad("the name of a keyword", body, offset) }
      return .keyword(Keyword(body.string))
    case UInt8(ascii: "$"):
      guard body.count > 0 else { throw bad("the name of a symbol", body, offset) }
      return .symbol(Symbol(body.string))
    case UInt8(ascii: "s"), UInt8(ascii: "'"): return .string(body.string)
    default:
      return .tagged(TransitTagged(tag: String(Unicode.Scalar(tag)), rep: .string(body.string)))
    }
  }

  /// The value of `~` and what follows it, whatever the tag; at least one byte.
  static func decode(afterTilde text: Text, offset: Int?) throws(TransitError) -> TransitValue {
    let tag = text.start[0]
    if tag < 0x80 { return try decode(tag: tag, text.dropping(1), offset: offset) }
    let string = text.string
    guard let scalar = string.unicodeScalars.first else { return .string(string) }
    let rest = String(String.UnicodeScalarView(string.unicodeScalars.dropFirst()))
    return .tagged(TransitTagged(tag: String(scalar), rep: .string(rest)))
  }

  /// The value of a one-character tag in array form, as `["~#m", 5]`, whose representation is a value.
  static func decode(tag: String, rep: TransitValue, offset: Int?) throws(TransitError) -> TransitValue {
    switch (tag, rep) {
    case ("m", .int(let value)): return .instant(Instant(milliseconds: value))
    case ("t", .int(let value)): return .instant(Instant(milliseconds: value))
    case ("u", .array(let halves)):
      if halves.count == 2, case .int(let high) = halves[0], case .int(let low) = halves[1] {
        return .uuid(UUIDText.uuid(high: UInt64(bitPattern: high), low: UInt64(bitPattern: low)))
      }
    case ("_", .null), ("?", .bool), ("i", .int), ("i", .bigInt), ("d", .double), ("n", .bigInt),
      ("s", .string):
      return rep
    case ("d", .int(let value)): return .double(Double(value))
    case ("n", .int(let value)): return .bigInt(TransitBigInteger(value))
    case ("'", _): return rep
    case ("~", _), ("#", _), ("^", _), ("`", _): return .tagged(TransitTagged(tag: tag, rep: rep))
    case (_, .string(let text)):
      var joined = tag + text
      let value: Result<TransitValue, TransitError> = joined.withUTF8 { bytes in
        guard let start = bytes.baseAddress else { return .success(rep) }
        do throws(TransitError) {
          return .success(try decode(afterTilde: Text(start, bytes.count, isASCII: false), offset: offset))
        } catch {
          return .failure(error)
        }
      }
      return try value.get()
    default: break
    }
    if "_?sidznfbmtu:$rc".utf8.contains(tag.utf8.first ?? 0) {
      throw TransitError(
        .invalidRepresentation, "the tag '\(tag)' has no such representation", offset: offset)
    }
    return .tagged(TransitTagged(tag: tag, rep: rep))
  }
}
