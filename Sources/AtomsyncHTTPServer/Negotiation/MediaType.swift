/// A media type, or a range of them, with its parameters: `application/transit+json; verbose=true`.
struct MediaType: Hashable, Sendable {
  var type: String
  var subtype: String
  /// Names and values in lower case, without `q` and without what changes nothing (`charset=utf-8`).
  var parameters: [String: String]
  /// The weight in an `Accept` header; 1 when it names none.
  var quality: Double

  /// `nil` when the text is not a media type.
  init?(_ text: some StringProtocol) {
    let parts = Self.split(text, at: UInt8(ascii: ";"))
    guard let essence = parts.first else { return nil }
    let names = essence.lowercased().split(separator: "/", omittingEmptySubsequences: false)
    guard names.count == 2, Self.isToken(names[0]), Self.isToken(names[1]) else { return nil }
    type = String(names[0])
    subtype = String(names[1])
    parameters = [:]
    quality = 1
    for part in parts.dropFirst() where !part.isEmpty {
      let pair = part.split(separator: "=", maxSplits: 1).map { Self.trimmed($0.utf8).lowercased() }
      guard pair.count == 2 else { return nil }
      let value = pair[1].hasPrefix("\"") ? pair[1].filter { $0 != "\"" } : pair[1]
      switch (pair[0], value) {
      case ("q", _): quality = min(max(Double(value) ?? 0, 0), 1)
      case ("charset", "utf-8"), ("charset", "utf8"), ("verbose", "false"): break
      default: parameters[pair[0]] = value
      }
    }
  }

  /// Whether the types agree, `*` standing for any; parameters are left aside.
  func covers(_ other: MediaType) -> Bool {
    (type == "*" || type == other.type) && (subtype == "*" || subtype == other.subtype)
  }

  /// The entries of a header whose value is a list; what is not a media type is left out.
  static func list(_ header: String) -> [MediaType] {
    split(header, at: UInt8(ascii: ",")).compactMap { MediaType($0) }
  }

  /// Splits at a separator that is not inside quotes, and trims the parts.
  private static func split(_ text: some StringProtocol, at separator: UInt8) -> [Substring] {
    var isQuoted = false
    let parts = Substring(text).utf8.split(omittingEmptySubsequences: false) { byte in
      if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
      return byte == separator && !isQuoted
    }
    return parts.map { trimmed($0) }
  }

  private static func trimmed(_ text: Substring.UTF8View) -> Substring {
    var text = text
    while let first = text.first, isBlank(first) { text.removeFirst() }
    while let last = text.last, isBlank(last) { text.removeLast() }
    return Substring(text)
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
  }

  private static func isToken(_ text: some StringProtocol) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x2C && $0 != 0x22 }
  }
}
