import Testing
import Transit

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The forms of single values, as other implementations write them.
@Suite("Scalars")
struct ScalarTests {
  private func json(_ value: TransitValue) throws -> String {
    let text = text(try TransitValue.array([value]).transit(.json))
    return String(text.dropFirst().dropLast())
  }

  private func read(_ json: String) throws -> TransitValue {
    try #require(try TransitValue(transit: utf8("[\(json)]"), format: .json)[0])
  }

  @Test(
    "Integers change form beyond 2^53 - 1",
    arguments: [
      (Int64(9_007_199_254_740_991), "9007199254740991"), (9_007_199_254_740_992, #""~i9007199254740992""#),
      (-9_007_199_254_740_991, "-9007199254740991"), (-9_007_199_254_740_992, #""~i-9007199254740992""#),
      (.max, #""~i9223372036854775807""#), (.min, #""~i-9223372036854775808""#),
    ])
  func integers(value: Int64, expected: String) throws {
    #expect(try json(.int(value)) == expected)
    #expect(try read(expected) == .int(value))
  }

  @Test(
    "Doubles are the shortest text that reads back, laid out as Java does",
    arguments: [
      (0.0, "0.0"), (-0.0, "-0.0"), (1.0, "1.0"), (-1.5, "-1.5"), (0.1, "0.1"), (86.852, "86.852"),
      (0.001, "0.001"),
      (0.00099, "9.9E-4"), (9_999_999.0, "9999999.0"), (10_000_000.0, "1.0E7"),
      (1_234_567.891, "1234567.891"),
      (4e11, "4.0E11"), (6.626e-34, "6.626E-34"), (1e300, "1.0E300"), (0.0123456789, "0.0123456789"),
      (123456.789012345, "123456.789012345"), (Double.pi, "3.141592653589793"),
    ])
  func doubles(value: Double, expected: String) throws {
    #expect(try json(.double(value)) == expected)
    #expect(try read(expected).doubleValue?.bitPattern == value.bitPattern)
  }

  @Test("Numbers in JSON are read exactly")
  func numbers() throws {
    for text in [
      "1e5", "1E+5", "1.5e-7", "0.1", "123456789.123456789", "1e22", "1e23", "2.2250738585072014e-308",
      "9007199254740993.0", "0.1e1", "1e-400",
    ] {
      #expect(try read(text) == .double(try #require(Double(text))))
    }
    var random = SplitMix(seed: 5)
    for _ in 0..<20_000 {
      let value = Double(bitPattern: random.next())
      guard value.isFinite else { continue }
      #expect(try read(json(.double(value))).doubleValue?.bitPattern == value.bitPattern)
      let human = Double(Int64.random(in: -99_999_999...99_999_999, using: &random)) / 10_000
      #expect(try read(json(.double(human))) == .double(human))
    }
  }

  @Test("All forms that other writers use are read")
  func forms() throws {
    #expect(try read(#""~n5""#) == 5)
    #expect(try read(#""~i5""#) == 5)
    #expect(try read(##"["~#i","5"]"##) == 5)
    #expect(try read(##"["~#m",5]"##) == .instant(millisecondsSince1970: 5))
    #expect(try read(##"["~#m","5"]"##) == .instant(millisecondsSince1970: 5))
    #expect(try read(#""~d1.5""#) == 1.5)
    #expect(try read(#""~_""#) == .null)
    #expect(try read(#""~?t""#) == true)
    #expect(try read(#""~?f""#) == false)
    #expect(try read("\"`a\"") == "`a")
    #expect(try read(##"["~#'",["~#set",[1]]]"##) == .set([1]))
    let uuid = TransitValue.uuid(try #require(UUID(uuidString: "98d00ba6-b51d-4b61-aa81-606d70db71c4")))
    #expect(try read(##"["~#u",[-7435430174157616287,-6160536792104996412]]"##) == uuid)
    #expect(try read(##"["~#u","98D00BA6-b51d-4b61-aa81-606d70db71c4"]"##) == uuid)
    #expect(try json(uuid) == #""~u98d00ba6-b51d-4b61-aa81-606d70db71c4""#)
    #expect(
      try TransitValue(transit: [0x81, 0xA5] + utf8("~#set") + [0x92, 1, 2], format: .msgpack)
        == .set([1, 2]))
    #expect(try TransitValue(transit: [0x91, 0xCA, 0x3F, 0xC0, 0, 0], format: .msgpack) == [1.5])
    #expect(try TransitValue(transit: [0x91, 0xD9, 1, 0x61], format: .msgpack) == ["a"])
    #expect(try TransitValue(transit: [0x91, 0xC4, 1, 0x61], format: .msgpack) == ["a"])
    #expect(try TransitValue(transit: utf8("5"), format: .json) == 5)
    #expect(try TransitValue(transit: utf8(" \n[1]\t "), format: .json) == [1])
  }

  @Test(
    "Instants are read in all precisions and offsets",
    arguments: [
      ("1970-01-01T00:00:00.000Z", Int64(0)), ("1969-12-31T23:59:59.999Z", -1),
      ("2014-04-07", 1_396_828_800_000),
      ("2014-04-07T22:17Z", 1_396_909_020_000), ("2014-04-07T22:17:17Z", 1_396_909_037_000),
      ("2014-04-07T22:17:17.1Z", 1_396_909_037_100), ("2014-04-07T22:17:17.123456789Z", 1_396_909_037_123),
      ("2014-04-08T00:17:17.000+02:00", 1_396_909_037_000), ("2014-04-07T16:47:17-0530", 1_396_909_037_000),
      ("0000-01-01T00:00:00.000Z", -62_167_219_200_000), ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
      ("1776-07-04T12:00:00.000-00:00", -6_106_017_600_000),
    ])
  func instants(text: String, milliseconds: Int64) throws {
    let instant = TransitValue.instant(millisecondsSince1970: milliseconds)
    #expect(try read("\"~t\(text)\"") == instant)
    #expect(try read("\"~m\(milliseconds)\"") == instant)
    let verbose = try TransitValue.array([instant]).transit(.verboseJSON)
    #expect(try TransitValue(transit: verbose, format: .verboseJSON) == [instant])
  }

  @Test("Instants beyond four digits of a year stay numbers")
  func farInstants() throws {
    for milliseconds: Int64 in [253_402_300_800_000, -62_167_219_200_001, .max, .min] {
      let value: TransitValue = [.instant(millisecondsSince1970: milliseconds)]
      #expect(text(try value.transit(.verboseJSON)) == "[\"~m\(milliseconds)\"]")
      for format in TransitFormat.allCases {
        #expect(try TransitValue(transit: value.transit(format), format: format) == value)
      }
    }
  }

  @Test("Dates lose nothing on the way to instants and back")
  func dates() {
    for milliseconds: Int64 in [0, 1, -1, 999, 1_754_000_000_123, -6_106_017_600_001, 253_402_300_799_999] {
      #expect(Instant(Instant(milliseconds: milliseconds).date).milliseconds == milliseconds)
    }
    #expect(Instant(Date(timeIntervalSince1970: 1.9999)).milliseconds == 1999)
    #expect(Instant(Date(timeIntervalSince1970: -0.0001)).milliseconds == -1)
    #expect(Instant(Date(timeIntervalSinceReferenceDate: .infinity)).milliseconds == .max)
  }

  @Test("Strings are escaped as transit-java does")
  func strings() throws {
    #expect(try json("~a") == #""~~a""#)
    #expect(try json("^a") == #""~^a""#)
    #expect(try json("`a") == #""~`a""#)
    #expect(try json("#a/") == ##""#a/""##)
    #expect(
      try json("\"\\\n\t\r\u{8}\u{C}\u{1F}\u{7F}é\u{2028}")
        == "\"\\\"\\\\\\n\\t\\r\\b\\f\\u001F\u{7F}é\u{2028}\"")
    #expect(try json("\u{1F600}") == #""\uD83D\uDE00""#)
    #expect(try read(#""\u00e9\ud83d\ude00\/\u0041""#) == "é\u{1F600}/A")
    let long = String(repeating: "x", count: 40)
    #expect(try TransitValue.array([.string(long)]).transit(.msgpack) == [0x91, 0xDA, 0, 40] + utf8(long))
    for length in [0, 1, 31, 32, 255, 256, 65_535, 65_536] {
      let value: TransitValue = [
        .string(String(repeating: "é", count: length / 2) + (length % 2 == 1 ? "x" : ""))
      ]
      #expect(try TransitValue(transit: value.transit(.msgpack), format: .msgpack) == value)
    }
  }

  @Test("Scalars at the top are quoted, composites are not")
  func quotes() throws {
    #expect(text(try TransitValue.null.transit(.json)) == ##"["~#'",null]"##)
    #expect(text(try TransitValue.keyword("a").transit(.verboseJSON)) == ##"{"~#'":"~:a"}"##)
    #expect(try TransitValue.int(5).transit(.msgpack) == [0x92, 0xA3] + utf8("~#'") + [5])
    #expect(text(try TransitValue.set([1]).transit(.json)) == ##"["~#set",[1]]"##)
    #expect(text(try TransitValue.tagged("X", "a").transit(.json)) == ##"["~#'","~Xa"]"##)
  }

  @Test("Tags of every kind come back as they were")
  func tags() throws {
    let values: [TransitValue] = [
      .tagged("X", "text"), .tagged("X", 1), .tagged("X", ["a": 1]), .tagged("point", [1, 2]),
      .tagged("#", "x"),
      .tagged("~", "x"), .tagged("^", "x"), .tagged("\u{1F600}", "x"), .tagged("é", [1]),
      .tagged("with-meta", [[1], [:]]),
      [.tagged("X", "key"): 1], [.tagged("X", 1): 1], [.tagged("point", 1): 2],
      .tagged("x1", .tagged("x2", .tagged("x3", nil))),
    ]
    for value in values {
      for format in TransitFormat.allCases {
        #expect(try TransitValue(transit: value.transit(format), format: format) == value)
      }
    }
    for bad: TransitValue in [
      .tagged("", 1), .keyword(""), .symbol(""), .tagged("i", "abc"), .tagged("set", 1),
    ] {
      let error = #expect(throws: TransitError.self) { try TransitValue.array([bad]).transit(.json) }
      #expect(error?.code == .unencodable)
    }
    #expect(
      try TransitValue.array([.tagged("set", [1])]).transit(.json)
        == TransitValue.array([.set([1])]).transit(.json))
  }
}
