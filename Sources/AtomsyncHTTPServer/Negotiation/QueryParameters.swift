internal import AtomsyncCore

/// The parameters of a URL's query, in their order.
package struct QueryParameters: Sendable {
  private let pairs: [(name: String, value: String)]

  /// - Throws: `ProtocolError` with `invalid-parameter` for an escape that is none, or text that is not UTF-8.
  init(_ query: Substring) throws {
    var pairs: [(String, String)] = []
    for part in query.utf8.split(separator: UInt8(ascii: "&")) {
      let sides = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      let name = try Self.decoded(sides[0], plusIsSpace: true)
      // A cursor never holds a space, but an unescaped one may hold a plus.
      let value =
        sides.count == 2
        ? try Self.decoded(sides[1], plusIsSpace: !name.utf8.elementsEqual("cursor".utf8)) : ""
      pairs.append((name, value))
    }
    self.pairs = pairs
  }

  /// The values of a parameter that may repeat.
  func all(_ name: String) -> [String] {
    pairs.compactMap { $0.name.utf8.elementsEqual(name.utf8) ? $0.value : nil }
  }

  /// The value of a parameter that may not repeat.
  package func one(_ name: String) throws -> String? {
    guard let first = pairs.firstIndex(where: { $0.name.utf8.elementsEqual(name.utf8) }) else { return nil }
    if pairs[(first + 1)...].contains(where: { $0.name.utf8.elementsEqual(name.utf8) }) {
      throw ProtocolError(
        .invalidParameter, "The parameter “\(name)” is given \(all(name).count) times; give it once.")
    }
    return pairs[first].value
  }

  /// A whole number of at least `minimum`.
  package func number(_ name: String, atLeast minimum: Int64) throws -> Int64? {
    guard let text = try one(name) else { return nil }
    guard let number = Int64(text), number >= minimum else {
      throw ProtocolError(
        .invalidParameter, "The parameter “\(name)” must be a whole number of at least \(minimum).")
    }
    return number
  }

  private static func decoded(_ text: Substring.UTF8View, plusIsSpace: Bool) throws -> String {
    let isPlain = text.allSatisfy { $0 != UInt8(ascii: "%") && $0 != UInt8(ascii: "+") }
    if isPlain { return String(Substring(text)) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var rest = text.makeIterator()
    while let byte = rest.next() {
      switch byte {
      case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
      case UInt8(ascii: "%"):
        guard let high = rest.next().flatMap(digit), let low = rest.next().flatMap(digit) else {
          throw ProtocolError(
            .invalidParameter, "The query has a % that is not followed by two hexadecimal digits.")
        }
        bytes.append(high << 4 | low)
      default: bytes.append(byte)
      }
    }
    guard let decoded = String(validating: bytes, as: UTF8.self) else {
      throw ProtocolError(.invalidParameter, "The query has a parameter that is not UTF-8.")
    }
    return decoded
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
