import Testing
import Transit

@Suite("EDN")
struct EDNTests {
  static let printed: [(TransitValue, String)] = [
    (TransitValue.null, "nil"), (true, "true"), (-5, "-5"), (1.0, "1.0"), (.double(.nan), "##NaN"),
    ("a\"b\n", #""a\"b\n""#), (.keyword("ns/a"), ":ns/a"), (.symbol("x"), "x"),
    (.symbol("a b"), #"#$ "a b""#),
    ([1, "two"], #"[1 "two"]"#), (.list([1, 2]), "(1 2)"), (.set([1]), "#{1}"),
    (["a": 1, .keyword("b"): 2], #"{"a" 1, :b 2}"#),
    (.instant(millisecondsSince1970: 1_396_909_037_000), #"#inst "2014-04-07T22:17:17.000Z""#),
    (.char("a"), #"\a"#),
    (.char("\n"), #"\newline"#), (.ratio(TransitRatio(1, 3)), "1/3"),
    (.tagged("point", [1, 2]), "#point [1 2]"),
    (.tagged("a b", 1), ##"#transit ["a b" 1]"##), (.bytes([0, 1, 2]), ##"#b "AAEC""##),
    (.uri("a:b"), ##"#r "a:b""##),
  ]

  @Test("A description is EDN", arguments: printed)
  func printing(value: TransitValue, expected: String) throws {
    #expect(value.description == expected)
    #expect(try TransitValue(edn: expected) == value)
  }

  @Test("Comments, discards, commas and metadata are read")
  func reading() throws {
    #expect(try TransitValue(edn: "; a comment\n[1, #_ ignored 2 #_ #_ a b 3] ; end") == [1, 2, 3])
    #expect(
      try TransitValue(edn: "^{:a 1} [x]") == .tagged("with-meta", [[.symbol("x")], [.keyword("a"): 1]]))
    #expect(
      try TransitValue(edn: #"["\u00e9" \u00e9 \space +1 -2 1e3 12N 1.50M]"#).description
        == #"["é" \é \space 1 -2 1000.0 12N 1.50M]"#)
    #expect(
      try TransitValue(edn: "[- + -a .5 / nil? true?]").arrayValue?.allSatisfy { $0.symbolValue != nil }
        == true)
  }

  @Test(
    "What is not EDN is a typed error",
    arguments: [
      ("", TransitError.Code.truncated), ("[1", .truncated), ("\"a", .truncated), ("{:a}", .oddMap),
      ("1 2", .trailingBytes),
      ("]", .malformed), (":", .malformed), ("1x", .numberOutOfRange), ("1e400", .numberOutOfRange),
      (#"\abc"#, .malformed),
      (##"#inst "x""##, .invalidScalar), ("#inst 5", .invalidRepresentation), ("##Foo", .malformed),
      ("# 1", .malformed),
      (#""\ud800""#, .loneSurrogate), (#""\q""#, .malformed), ("1/0", .numberOutOfRange),
      ("#link {}", .invalidRepresentation),
    ])
  func errors(text: String, code: TransitError.Code) {
    let error = #expect(throws: TransitError.self) { try TransitValue(edn: text) }
    #expect(error?.code == code)
  }
}
