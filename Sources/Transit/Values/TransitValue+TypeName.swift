extension TransitValue {
  /// What the value is, with its article, for error messages.
  var typeName: String {
    switch self {
    case .null: "null"
    case .bool: "a bool"
    case .int: "an integer"
    case .bigInt: "a big integer"
    case .double: "a double"
    case .bigDecimal: "a big decimal"
    case .string: "a string"
    case .keyword: "a keyword"
    case .symbol: "a symbol"
    case .bytes: "bytes"
    case .instant: "an instant"
    case .uuid: "a UUID"
    case .uri: "a URI"
    case .char: "a character"
    case .array: "an array"
    case .list: "a list"
    case .set: "a set"
    case .map: "a map"
    case .ratio: "a ratio"
    case .link: "a link"
    case .tagged(let value): "a value tagged '\(value.tag)'"
    }
  }
}
