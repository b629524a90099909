import Testing
import Transit

/// Input that other implementations leak, guess or crash on.
@Suite("Hostile input")
struct HostileInputTests {
  private func code(_ json: String, limits: TransitLimits = .standard) -> TransitError.Code? {
    code(utf8(json), .json, limits: limits)
  }

  /// The code of the error, after checking that reading, skipping and transcoding agree.
  private func code(_ bytes: [UInt8], _ format: TransitFormat, limits: TransitLimits = .standard)
    -> TransitError.Code?
  {
    var result: TransitError.Code?
    do throws(TransitError) {
      _ = try TransitValue(transit: bytes, format: format, limits: limits)
    } catch {
      result = error.code
      if let offset = error.offset {
        #expect(offset >= 0 && offset <= bytes.count)
      } else {
        Issue.record("no offset")
      }
    }
    for target in TransitFormat.allCases {
      do throws(TransitError) {
        _ = try transcode(bytes, from: format, to: target, limits: limits)
        #expect(result == nil, "transcoding took what reading refuses")
      } catch {
        #expect(error.code == result)
      }
    }
    return result
  }

  @Test(
    "Each row of the table is a typed error",
    arguments: [
      (#"["^0"]"#, TransitError.Code.invalidCacheCode),
      (#"["^~~"]"#, .invalidCacheCode),
      (#"["^"]"#, .invalidCacheCode),
      (#"["^012"]"#, .invalidCacheCode),
      (#"["~"]"#, .invalidScalar),
      (##"["~#foo"]"##, .misplacedTag),
      (##"["~#"]"##, .misplacedTag),
      (##"["~#foo",1,2]"##, .misplacedTag),
      (##"[null,"~#set",1]"##, .misplacedTag),
      (##""~#foo""##, .misplacedTag),
      (##"["^ ","~:abcd",["~#foo",1],"k",["^1"]]"##, .misplacedTag),
      (#"[1,"^ "]"#, .misplacedTag),
      (#"["^ ","a"]"#, .oddMap),
      (##"["~#cmap",[1,2,3]]"##, .oddMap),
      (##"{"~#set":[1],"b":2}"##, .misplacedTag),
      (##"{"b":2,"~#set":[1]}"##, .misplacedTag),
      (##"["~#set",1]"##, .invalidRepresentation),
      (##"["~#set",["~#foo",1]]"##, .invalidRepresentation),
      (##"["~#list",["^ "]]"##, .invalidRepresentation),
      (##"["~#ratio",[1]]"##, .invalidRepresentation),
      (##"["~#ratio",["~n1","~n0"]]"##, .invalidRepresentation),
      (##"["~#link",["^ ","href","x"]]"##, .invalidRepresentation),
      (##"["~#m",[]]"##, .invalidRepresentation),
      (##"["~#u",[1]]"##, .invalidRepresentation),
      (#"["~iabc"]"#, .invalidScalar),
      (#"["~mabc"]"#, .invalidScalar),
      (#"["~m9223372036854775808"]"#, .invalidScalar),
      (#"["~uabc"]"#, .invalidScalar),
      (#"["~u5a2cbea3-e8c6-428b-b525-21239370dd5g"]"#, .invalidScalar),
      (#"["~b!!"]"#, .invalidScalar),
      (#"["~bAA"]"#, .invalidScalar),
      (#"["~bAB=="]"#, .invalidScalar),
      (#"["~?x"]"#, .invalidScalar),
      (#"["~:"]"#, .invalidScalar),
      (#"["~$"]"#, .invalidScalar),
      (#"["~c"]"#, .invalidScalar),
      (#"["~cab"]"#, .invalidScalar),
      (#"["~tyesterday"]"#, .invalidScalar),
      (#"["~t2014-02-30"]"#, .invalidScalar),
      (#"["~t506142045-01-01T00:01:00.000Z"]"#, .invalidScalar),
      (#"["~zinf"]"#, .invalidScalar),
      (#"["~d1e400"]"#, .numberOutOfRange),
      (#"[1e400]"#, .numberOutOfRange),
      (#"["^ ",[1],2]"#, .compositeKey),
      (#"["\ud800"]"#, .loneSurrogate),
      (#"["\udc00\ud800"]"#, .loneSurrogate),
      (#"["\ud800\u0041"]"#, .loneSurrogate),
      ("[1]x", .trailingBytes),
      ("[1] [2]", .trailingBytes),
      ("[1,]", .malformed),
      ("[,1]", .malformed),
      ("{\"a\":1,}", .malformed),
      ("{1:2}", .malformed),
      ("[01]", .malformed),
      ("[1.]", .malformed),
      ("[-]", .malformed),
      ("[NaN]", .malformed),
      ("[\"\u{1}\"]", .malformed),
      (#"["\x"]"#, .malformed),
      (#"["\u12g4"]"#, .malformed),
      ("", .truncated),
      ("  ", .truncated),
    ])
  func rows(json: String, expected: TransitError.Code) {
    let found = code(json)
    // An object may only have text for keys; the token layer sees a number where a key must be.
    if json == "{1:2}" { #expect(found == nil || found == .malformed) } else { #expect(found == expected) }
  }

  @Test("Big integers do not wrap")
  func bigIntegers() throws {
    #expect(
      try TransitValue(transit: utf8(#"["~i9223372036854775808"]"#), format: .json).description
        == "[9223372036854775808N]")
    #expect(
      try TransitValue(transit: utf8("[9223372036854775808]"), format: .json).description
        == "[9223372036854775808N]")
    let unsigned: [UInt8] = [0x91, 0xCF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]
    #expect(try TransitValue(transit: unsigned, format: .msgpack).description == "[18446744073709551615N]")
  }

  @Test("Invalid UTF-8 is refused")
  func invalidUTF8() {
    for bad: [UInt8] in [
      [0x80], [0xC0, 0x80], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xFF],
    ] {
      #expect(code(utf8("[\"a") + bad + utf8("\"]"), .json) == .invalidUTF8)
      #expect(code(utf8("[\"\\n") + bad + utf8("\"]"), .json) == .invalidUTF8)
      #expect(code([0x91, 0xA0 | UInt8(bad.count)] + bad, .msgpack) == .invalidUTF8)
    }
  }

  @Test("MessagePack extension types and 0xc1 are refused")
  func unsupported() {
    for lead: UInt8 in [0xC7, 0xC8, 0xC9, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8] {
      #expect(code([0x91, lead, 0xFF, 0, 0, 0, 0], .msgpack) == .unsupportedType)
    }
    #expect(code([0x91, 0xC1], .msgpack) == .malformed)
  }

  @Test("Lengths beyond the input are refused before anything is allocated")
  func lengths() {
    let headers: [[UInt8]] = [
      [0xDD, 0xFF, 0xFF, 0xFF, 0xFF], [0xDF, 0xFF, 0xFF, 0xFF, 0xFF], [0xDB, 0xFF, 0xFF, 0xFF, 0xFF],
      [0xC6, 0x7F, 0xFF, 0xFF, 0xFF], [0xDC, 0xFF, 0xFF], [0xDE, 0xFF, 0xFF], [0xD9, 0xFF],
    ]
    for header in headers { #expect(code(header + [1, 2, 3], .msgpack) == .truncated) }
  }

  @Test("Depth is limited, and the limit can be set")
  func depth() throws {
    let deep = String(repeating: "[", count: 200_000)
    #expect(code(deep) == .tooDeep)
    #expect(code([UInt8](repeating: 0x91, count: 200_000), .msgpack) == .tooDeep)
    #expect(code(String(repeating: "{\"a\":", count: 1000)) == .tooDeep)
    #expect(code(String(repeating: "[\"~#x\",", count: 1000)) == .tooDeep)
    let exact = String(repeating: "[", count: 512) + String(repeating: "]", count: 512)
    #expect(code(exact) == nil)
    #expect(code("[" + exact + "]") == .tooDeep)
    #expect(code("[[1]]", limits: TransitLimits(depth: 2)) == nil)
    #expect(code("[[[1]]]", limits: TransitLimits(depth: 2)) == .tooDeep)
    var value = TransitValue.null
    for _ in 0..<513 { value = .array([value]) }
    #expect(throws: TransitError.self) { try value.transit(.json) }
    #expect(throws: TransitError.self) { try TransitValue(edn: deep) }
    #expect(throws: TransitError.self) { try TransitValue(edn: String(repeating: "#_ ", count: 100_000)) }
  }

  @Test("Every truncation of every encoding is an error", arguments: TransitFormat.allCases)
  func truncation(format: TransitFormat) throws {
    let value: TransitValue = [
      .keyword("text"): "a\"\n\u{1F600}é", .keyword("set"): .set([1, .keyword("text"), .symbol("sym/bol")]),
      "n": [1, -2, 1.5, 1e300, true, nil, .bigInt(123_456_789_012), .instant(millisecondsSince1970: -1)],
      [1, 2]: .tagged("unknown", [.uri("x:y"), .bytes([1, 2, 3]), .char("c")]),
      "ratio": .ratio(TransitRatio(1, 3)), "link": .link(TransitLink(href: "a:b", rel: "self")),
      "list": .list([.tagged("X", "one"), .double(.nan), 9_007_199_254_740_992]),
    ]
    let bytes = try value.transit(format)
    #expect(try TransitValue(transit: bytes, format: format) == value)
    for length in 0..<bytes.count {
      #expect(code(Array(bytes[..<length]), format) == .truncated, "\(length) of \(bytes.count)")
    }
  }

  @Test("An error tells the place, in bytes and as a path")
  func places() throws {
    let error = #expect(throws: TransitError.self) {
      try TransitValue(transit: utf8(#"{"a":[1,{"b":["~iabc"]}]}"#), format: .json)
    }
    #expect(error?.offset == 14)
    #expect(error?.path == [.key("\"a\""), .index(1), .key("\"b\""), .index(0)])
    #expect(
      error?.description == "invalidScalar: 'abc' is not an integer (at byte 14) (in [\"a\"][1][\"b\"][0])")
  }

  @Test("Of keys that come twice the last value counts")
  func duplicates() throws {
    let value = try TransitValue(transit: utf8(#"{"a":1,"b":2,"a":3}"#), format: .json)
    #expect(value == ["a": 3, "b": 2])
    var many = "["
    many += "\"^ \""
    for number in 0..<100 { many += ",\"key\(number % 50)\",\(number)" }
    let large = try TransitValue(transit: utf8(many + "]"), format: .json)
    #expect(large.mapValue?.count == 50)
    #expect(large["key7"] == 57)
    #expect(try TransitValue(transit: utf8(##"["~#set",[1,2,1]]"##), format: .json) == .set([1, 2]))
  }

  @Test("Time is linear for hostile shapes", .timeLimit(.minutes(1)))
  func linear() throws {
    var distinct = "[\"^ \""
    for number in 0..<20_000 { distinct += ",\"~:k\(number)\",\"~:k\(number)\"" }
    distinct += "]"
    let value = try TransitValue(transit: utf8(distinct), format: .json)
    #expect(value.mapValue?.count == 20_000)
    for format in TransitFormat.allCases {
      #expect(try TransitValue(transit: value.transit(format), format: format) == value)
    }
    let escapes = "[\"" + String(repeating: "\\n", count: 500_000) + "\"]"
    #expect(try TransitValue(transit: utf8(escapes), format: .json)[0]?.stringValue?.utf8.count == 500_000)
    let nested = String(
      repeating: String(repeating: "[", count: 500) + String(repeating: "]", count: 500) + ",", count: 200)
    #expect(code("[" + nested + "1]") == nil)
    // A full cache must not be copied for every value that is read apart.
    var tagged = "["
    for number in 0..<30_000 { tagged += "[\"~#X\",\"~:key\(number)\"],[\"~#ratio\",[1,\(number + 1)]]," }
    #expect(code(tagged + "1]") == nil)
    let digits = "[" + String(repeating: "9", count: 200_000) + "]"
    #expect(code(digits) == nil)
  }
}
