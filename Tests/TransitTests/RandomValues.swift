import Transit

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Numbers that are the same in every run.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Random values of all types.
struct RandomValues {
  var random: SplitMix

  init(seed: UInt64) { random = SplitMix(seed: seed) }

  mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

  mutating func text() -> String {
    let pieces = [
      "a", "b", "key", "~", "^", "`", "#", "\"", "\\", "/", "\n", "\t", "\u{1}", "\u{7F}", "é", "e\u{301}",
      "ß", "€",
      "\u{1F600}", "\u{10FFFF}", "^ ", "~#set", "~:x", "^0", " ", "0", "\u{2028}", "todo:", "constructor",
      "\r",
    ]
    var text = ""
    for _ in 0..<int(0...6) { text += pieces[int(0...pieces.count - 1)] }
    return int(0...30) == 0 ? String(repeating: text + "x", count: int(1...20000) / 7 + 1) : text
  }

  mutating func name() -> String {
    let names = [
      "a", "ab", "abc", "text", "done", "tags", "ns/name", "x-y", "kéy", "a b", "1", "/", "true", "\u{1F600}",
    ]
    return names[int(0...names.count - 1)] + (int(0...3) == 0 ? String(int(0...50)) : "")
  }

  mutating func integer() -> Int64 {
    let edges: [Int64] = [
      0, 1, -1, 31, 32, -32, -33, 127, 128, -128, -129, 255, 256, 32_767, 32_768, -32_768, -32_769, 65_535,
      65_536,
      1 << 31, -1 << 31, (1 << 31) - 1, (-1 << 31) - 1, (1 << 32) - 1, 1 << 32, (1 << 53) - 1, 1 << 53,
      (1 << 53) + 1,
      -(1 << 53) + 1, -(1 << 53), -(1 << 53) - 1, .max, .min,
    ]
    return int(0...2) > 0 ? edges[int(0...edges.count - 1)] : Int64.random(in: .min ... .max, using: &random)
  }

  mutating func double() -> Double {
    let edges: [Double] = [
      0, -0.0, 1, -1, 0.1, 1.5, 86.852, 1e7, 9_999_999.5, 1e-3, 9.99e-4, 4e11, 6.626e-34, 1e22, 1e23, 1e300,
      .leastNonzeroMagnitude,
      .greatestFiniteMagnitude, .leastNormalMagnitude, .pi, 9_007_199_254_740_992, .nan, .infinity,
      -.infinity,
    ]
    if int(0...1) == 0 { return edges[int(0...edges.count - 1)] }
    return Double(bitPattern: random.next())
  }

  mutating func scalar() -> TransitValue {
    switch int(0...16) {
    case 0: return .null
    case 1: return .bool(int(0...1) == 1)
    case 2, 3: return .int(integer())
    case 4: return .double(double())
    case 5, 6: return .string(text())
    case 7, 8: return .keyword(name())
    case 9: return .symbol(name())
    case 10: return .bytes((0..<int(0...10)).map { _ in UInt8(int(0...255)) })
    case 11:
      return .instant(
        millisecondsSince1970: int(0...1) == 0
          ? integer() : Int64(int(-10_000_000_000_000...10_000_000_000_000)))
    case 12:
      return .uuid(
        UUID(uuid: withUnsafeBytes(of: (random.next(), random.next())) { $0.loadUnaligned(as: uuid_t.self) }))
    case 13: return .uri("http://example.com/" + text())
    case 14:
      return .char(["x", "é", "~", "^", "\u{1F600}", "\n", "\"", ",", " ", ";", "u", "\u{301}"][int(0...11)])
    case 15:
      let digits = String(integer()) + String(UInt64.random(in: 0...UInt64.max, using: &random))
      return TransitBigInteger(digits).map { .bigInt($0) } ?? .null
    default:
      return TransitBigDecimal("\(int(-1000...1000)).\(int(0...999))0E\(int(-40...40))").map {
        .bigDecimal($0)
      } ?? .null
    }
  }

  mutating func value(_ depth: Int = 4) -> TransitValue {
    if depth == 0 { return scalar() }
    let count = int(0...20) == 0 ? int(16...70) : int(0...5)
    switch int(0...14) {
    case 0, 1: return .array((0..<count).map { _ in value(depth - 1) })
    case 2: return .list((0..<count).map { _ in value(depth - 1) })
    case 3: return .set(TransitSet((0..<count).map { _ in value(depth - 1) }))
    case 4, 5, 6:
      return .map(TransitMap((0..<count).map { _ in (key: scalar(), value: value(depth - 1)) }))
    case 7: return .map(TransitMap((0..<count).map { _ in (key: value(depth - 1), value: value(depth - 1)) }))
    case 8: return .ratio(TransitRatio(TransitBigInteger(integer()), TransitBigInteger(int(1...99))))
    case 9:
      return .link(TransitLink(href: "x:" + text(), rel: text(), name: text(), render: .image, prompt: nil))
    case 10:
      return .tagged(
        ["X", "point", "with-meta", "é", "~", "#", "\u{1F600}", "a b"][int(0...7)], value(depth - 1))
    case 11: return .tagged(["X", "é", "1", "~", "^", "`", "#"][int(0...6)], .string(text()))
    default: return scalar()
    }
  }
}
