/// Names, labels and numbers as Prometheus writes them.
enum PrometheusText {
  /// A name of letters, digits and underscores; anything else becomes an underscore.
  static func name(_ label: String, suffix: String = "") -> String {
    var name = ""
    for byte in label.utf8 {
      let isPlain = isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "_")
      name.unicodeScalars.append(isPlain ? Unicode.Scalar(byte) : "_")
    }
    if name.utf8.first.map(isDigit) ?? true { name = "_" + name }
    return name.hasSuffix(suffix) ? name : name + suffix
  }

  /// `{method="GET"}`; nothing for none.
  static func labels(_ dimensions: [(String, String)]) -> String {
    if dimensions.isEmpty { return "" }
    let pairs = dimensions.map { "\(name($0.0))=\"\(escaped($0.1))\"" }
    return "{\(pairs.joined(separator: ","))}"
  }

  static func adding(_ name: String, _ value: String, to labels: String) -> String {
    labels.isEmpty ? "{\(name)=\"\(value)\"}" : "\(labels.dropLast()),\(name)=\"\(value)\"}"
  }

  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    return value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
  }

  private static func escaped(_ value: String) -> String {
    var text = ""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\\": text += "\\\\"
      case "\"": text += "\\\""
      case "\n": text += "\\n"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}
