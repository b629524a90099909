/// A name that stands for something else, as `x` or `clojure.core/map`.
///
/// Equality is that of the UTF-8 bytes, as everywhere in this library.
public struct Symbol: Hashable, Sendable, Codable, Comparable, ExpressibleByStringLiteral,
  CustomStringConvertible
{
  /// The whole name, with the namespace if there is one: `ns/name` or `name`.
  public let text: String

  /// - Parameter name: `name` or `ns/name`. An empty name has no Transit form; writing it throws.
  @inline(__always)
  public init(_ name: String) {
    text = name
  }

  /// The symbol of this name: `name` or `ns/name`.
  public init(stringLiteral value: String) {
    text = value
  }

  /// What stands before the first slash; nil without one. The symbol `/` is a name.
  public var namespace: String? {
    guard text.utf8.count > 1, let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) else { return nil }
    return String(text[..<slash])
  }

  /// What stands after the first slash, or the whole text without one.
  public var name: String {
    guard text.utf8.count > 1, let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) else { return text }
    return String(text[text.utf8.index(after: slash)...])
  }

  /// The symbol as EDN.
  public var description: String { text }

  /// Whether both texts have the same bytes of UTF-8.
  public static func == (left: Symbol, right: Symbol) -> Bool {
    ExactText.equal(left.text, right.text)
  }

  /// Orders texts by their bytes of UTF-8.
  public static func < (left: Symbol, right: Symbol) -> Bool {
    ExactText.less(left.text, right.text)
  }

  /// Hashes the bytes of the text.
  public func hash(into hasher: inout Hasher) {
    ExactText.hash(text, into: &hasher)
  }
}

extension Symbol {
  /// Reads the name as one string, from any decoder. `TransitDecoder` also takes a symbol.
  public init(from decoder: any Decoder) throws {
    self.init(try decoder.singleValueContainer().decode(String.self))
  }

  /// Writes the name as one string, to any encoder. `TransitEncoder` writes a symbol.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}
