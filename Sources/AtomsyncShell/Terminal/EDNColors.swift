/// EDN for a terminal: keywords, texts and numbers in colours.
enum EDNColors {
  private enum Color: String {
    case keyword = "36"
    case text = "32"
    case number = "33"
    case tag = "35"
  }

  static func colored(_ edn: String) -> String {
    var result = ""
    var rest = edn[...]
    while let first = rest.first {
      let token = first == "\"" ? quoted(rest) : plain(rest)
      if let color = color(token) {
        result += "\u{1B}[\(color.rawValue)m\(token)\u{1B}[0m"
      } else {
        result += token
      }
      rest = rest[token.endIndex...]
    }
    return result
  }

  private static func color(_ token: Substring) -> Color? {
    switch token.first {
    case ":": .keyword
    case "\"", "\\": .text
    case "#" where token.count > 1: .tag
    case let first? where first.isNumber || (first == "-" && token.count > 1): .number
    default: nil
    }
  }

  /// A text with its quotes.
  private static func quoted(_ text: Substring) -> Substring {
    var isEscaped = false
    for index in text.indices.dropFirst() {
      if isEscaped {
        isEscaped = false
      } else if text[index] == "\\" {
        isEscaped = true
      } else if text[index] == "\"" {
        return text[...index]
      }
    }
    return text
  }

  /// Up to the next space, bracket or text; one character when it is such a one itself.
  private static func plain(_ text: Substring) -> Substring {
    let ends: Set<Character> = [" ", ",", "[", "]", "{", "}", "(", ")", "\""]
    guard let first = text.first, !ends.contains(first) else { return text.prefix(1) }
    return text.prefix { !ends.contains($0) }
  }
}
