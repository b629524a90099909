/// How the coding keys of Swift types, the names of their stored properties, stand in maps.
public enum TransitKeyStrategy: Sendable, Hashable {
  /// As keywords, `:name`: what Clojure's records of data use. Decoding also takes strings where no keyword is.
  case keywords
  /// As strings, `"name"`. Decoding also takes keywords where no string is.
  case strings
}

/// How enums (and other types) whose raw value is a string are written. Decoding takes both, and symbols.
public enum TransitEnumStrategy: Sendable, Hashable {
  /// As keywords, `:image`.
  case keywords
  /// As strings, `"image"`.
  case strings
}

/// A coding key made from a name or position, for what has no key type of its own.
struct PlainKey: CodingKey {
  let stringValue: String
  let intValue: Int?

  init(stringValue: String) {
    self.stringValue = stringValue
    intValue = nil
  }

  init(intValue: Int) {
    stringValue = String(intValue)
    self.intValue = intValue
  }

  static let superKey = PlainKey(stringValue: "super")
}
