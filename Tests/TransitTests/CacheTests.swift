import Testing
import Transit

/// The cache of repeated texts.
@Suite("Cache")
struct CacheTests {
  @Test("5,000 distinct texts go both ways, and are found again", arguments: TransitFormat.allCases)
  func manyTexts(format: TransitFormat) throws {
    var items: [TransitValue] = []
    for number in 0..<5000 {
      items.append([
        .keyword("key\(number)"): .keyword("key\(number % 700)"), "text": .symbol("symbol\(number)"),
      ])
    }
    items += items
    let value = TransitValue.array(items)
    let bytes = try value.transit(format)
    #expect(try TransitValue(transit: bytes, format: format) == value)
    for target in TransitFormat.allCases {
      #expect(try transcode(bytes, from: format, to: target) == value.transit(target))
    }
  }

  @Test("Length counts UTF-16 code units, prefix included")
  func length() throws {
    func json(_ value: TransitValue) throws -> String { text(try value.transit(.json)) }
    #expect(try json([.keyword("a"), .keyword("a")]) == #"["~:a","~:a"]"#)
    #expect(try json([.keyword("ab"), .keyword("ab")]) == #"["~:ab","^0"]"#)
    #expect(try json([["\u{1F600}\u{1F600}": 1], ["\u{1F600}\u{1F600}": 1]]).hasSuffix(#"["^ ","^0",1]]"#))
    #expect(try json([["ééé": 1], ["ééé": 1]]) == #"[["^ ","ééé",1],["^ ","ééé",1]]"#)
    #expect(try json([["éééé": 1], ["éééé": 1]]) == #"[["^ ","éééé",1],["^ ","^0",1]]"#)
  }

  @Test("Only keys, keywords, symbols and tags are remembered")
  func kinds() throws {
    func json(_ value: TransitValue) throws -> String { text(try value.transit(.json)) }
    #expect(try json(["text", "text"]) == #"["text","text"]"#)
    #expect(try json([["text": "text"], ["text": 1]]) == #"[["^ ","text","text"],["^ ","^0",1]]"#)
    #expect(
      try json([[10: 1], [10: 1], [1: 1], [1: 1]])
        == #"[["^ ","~i10",1],["^ ","^0",1],["^ ","~i1",1],["^ ","~i1",1]]"#)
    #expect(try json([.keyword("text"), [.keyword("text"): 1]]) == #"["~:text",["^ ","^0",1]]"#)
    #expect(try json([.tagged("point", 1), .tagged("point", 2)]) == ##"[["~#point",1],["^0",2]]"##)
    #expect(try json([["~abc": 1], ["~abc": 2]]) == #"[["^ ","~~abc",1],["^ ","^0",2]]"#)
  }

  @Test("Words that trip over a prototype are ordinary keys")
  func prototypes() throws {
    let value: TransitValue = ["constructor": 1, "toString": 2, "__proto__": 3]
    #expect(text(try value.transit(.json)) == #"["^ ","constructor",1,"toString",2,"__proto__",3]"#)
    #expect(try TransitValue(transit: value.transit(.json), format: .json) == value)
  }

  @Test("A text that was escaped in the input is remembered too")
  func escaped() throws {
    let value = try TransitValue(
      transit: utf8(#"[["^ ","a\nbcd",1],["^ ","^0",2],"~:k\u00e9y","^1"]"#), format: .json)
    #expect(value == [["a\nbcd": 1], ["a\nbcd": 2], .keyword("kéy"), .keyword("kéy")])
    #expect(
      try transcode(utf8(#"[["^ ","a\nbcd",1],["^ ","^0",2]]"#), from: .json, to: .verboseJSON)
        == utf8(#"[{"a\nbcd":1},{"a\nbcd":2}]"#))
  }
}
