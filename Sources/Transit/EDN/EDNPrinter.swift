/// Prints values as EDN that reads back as the same values.
struct EDNPrinter {
  private var text = ""

  static func print(_ value: TransitValue) -> String {
    var printer = EDNPrinter()
    printer.put(value)
    return printer.text
  }

  private mutating func put(_ value: TransitValue) {
    switch value {
    case .null: text += "nil"
    case .bool(let value): text += value ? "true" : "false"
    case .int(let value): text += String(value)
    case .bigInt(let value): text += value.text + "N"
    case .double(let value): text += Self.double(value)
    case .bigDecimal(let value):
      let digits = value.text.utf8.drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }
      if digits.first != UInt8(ascii: ".") { text += value.text + "M" } else { tag("f", .string(value.text)) }
    case .string(let value): quote(value)
    case .keyword(let value):
      if EDNName.isPlain(value.text) { text += ":" + value.text } else { tag(":", .string(value.text)) }
    case .symbol(let value):
      if EDNName.isSymbol(value.text) { text += value.text } else { tag("$", .string(value.text)) }
    case .bytes(let value): tag("b", .string(Base64.encode(value)))
    case .instant(let value):
      if let date = CivilTime.text(milliseconds: value.milliseconds) {
        text += "#inst \"\(date)\""
      } else {
        tag("m", .int(value.milliseconds))
      }
    case .uuid(let value): text += "#uuid \"\(UUIDText.text(value))\""
    case .uri(let value): tag("r", .string(value))
    case .char(let value): char(value)
    case .array(let items): put(items, "[", "]")
    case .list(let items): put(items, "(", ")")
    case .set(let items): put(items.elements, "#{", "}")
    case .map(let map): put(map)
    case .ratio(let value): text += value.description
    case .link(let value): tag("link", .map(value.map))
    case .tagged(let value): tag(value.tag, value.rep)
    }
  }

  private static func double(_ value: Double) -> String {
    if value.isNaN { return "##NaN" }
    if value.isInfinite { return value < 0 ? "##-Inf" : "##Inf" }
    return String(unsafeUninitializedCapacity: 32) { target in
      target.baseAddress.map { Doubles.write(value, to: $0) } ?? 0
    }
  }

  private mutating func put(_ items: [TransitValue], _ open: String, _ close: String) {
    text += open
    for (index, item) in items.enumerated() {
      if index > 0 { text += " " }
      put(item)
    }
    text += close
  }

  private mutating func put(_ map: TransitMap) {
    text += "{"
    for (index, entry) in map.enumerated() {
      if index > 0 { text += ", " }
      put(entry.key)
      text += " "
      put(entry.value)
    }
    text += "}"
  }

  /// A tag that is not an EDN symbol goes into a vector under `#transit`, so that any tag survives.
  private mutating func tag(_ tag: String, _ rep: TransitValue) {
    if EDNName.isTag(tag) {
      text += "#\(tag) "
      put(rep)
    } else {
      text += "#transit ["
      quote(tag)
      text += " "
      put(rep)
      text += "]"
    }
  }

  private mutating func quote(_ string: String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\r": text += "\\r"
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }

  private mutating func char(_ scalar: Unicode.Scalar) {
    switch scalar {
    case "\n": text += "\\newline"
    case "\r": text += "\\return"
    case " ": text += "\\space"
    case "\t": text += "\\tab"
    case _ where scalar.value <= 0x20 || scalar.value == 0x7F:
      let hex = String(scalar.value, radix: 16)
      text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
    default:
      text += "\\"
      text.unicodeScalars.append(scalar)
    }
  }
}

/// Which names EDN can say without quotes.
enum EDNName {
  /// Whether every character may stand in a keyword, so that nothing ends it early.
  static func isPlain(_ name: String) -> Bool {
    !name.isEmpty && name.unicodeScalars.allSatisfy(isNameCharacter)
  }

  /// Whether a name reads as a symbol: not as a number, a literal, a keyword or a dispatch.
  static func isSymbol(_ name: String) -> Bool {
    guard isPlain(name), let first = name.unicodeScalars.first else { return false }
    if first == ":" || first == "#" || first == "^" || first.isDigit { return false }
    if name == "nil" || name == "true" || name == "false" { return false }
    if first == "+" || first == "-" {
      let second = name.unicodeScalars.dropFirst().first
      return !(second?.isDigit ?? false)
    }
    return true
  }

  /// Whether a name can stand after `#` and mean a tag.
  static func isTag(_ name: String) -> Bool {
    guard isPlain(name), let first = name.unicodeScalars.first else { return false }
    if name == "inst" || name == "uuid" || name == "transit" { return false }
    if name == ":" || name == "$" { return true }
    return first.properties.isAlphabetic && first != "_"
  }

  static func isNameCharacter(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "(", ")", "[", "]", "{", "}", "\"", ";", ",", "\\", "`", "~", "@": false
    default: scalar.value > 0x20 && scalar.value != 0x7F && !scalar.properties.isWhitespace
    }
  }
}

extension Unicode.Scalar {
  var isDigit: Bool { value >= 48 && value <= 57 }
}

extension TransitValue: CustomStringConvertible {
  /// The value as EDN; `TransitValue(edn:)` reads it back as an equal value.
  public var description: String { EDNPrinter.print(self) }
}
