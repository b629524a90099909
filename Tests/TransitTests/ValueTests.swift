import Testing
import Transit

@Suite("TransitValue")
struct ValueTests {
  @Test("Literals say values")
  func literals() {
    let value: TransitValue = [
      "text": "Buy milk", "done": false, "n": [1, 1.5, nil], .keyword("k"): .symbol("s"),
    ]
    #expect(value["text"] == .string("Buy milk"))
    #expect(value["done"]?.boolValue == false)
    #expect(value["n"] == .array([.int(1), .double(1.5), .null]))
    #expect(value[keyword: "k"] == .symbol(Symbol("s")))
  }

  @Test("Equality is by type and content")
  func equality() {
    #expect(TransitValue.int(1) != .double(1))
    #expect(TransitValue.int(1) != .string("1"))
    #expect(TransitValue.string("a") != .keyword("a"))
    #expect(TransitValue.keyword("a") != .symbol("a"))
    #expect(TransitValue.list([1]) != .array([1]))
    #expect(TransitValue.int(5) == .bigInt(5))
    #expect(TransitValue.int(5).hashValue == TransitValue.bigInt(5).hashValue)
    #expect(TransitValue.double(.nan) == .double(.nan))
    #expect(TransitValue.double(0) == .double(-0.0))
    #expect(TransitValue.double(0).hashValue == TransitValue.double(-0.0).hashValue)
    #expect(TransitBigDecimal("1.50") == TransitBigDecimal("1.5"))
    #expect(TransitBigDecimal("150e-2")?.hashValue == TransitBigDecimal("1.5")?.hashValue)
    #expect(TransitBigDecimal("-0.0") == TransitBigDecimal("0"))
    // Swift would call these equal; every other Transit tells them apart.
    #expect(TransitValue.string("\u{E9}") != .string("e\u{301}"))
    #expect(TransitMap([(key: "\u{E9}", value: 1), (key: "e\u{301}", value: 2)]).count == 2)
    #expect(Keyword("\u{E9}") != Keyword("e\u{301}"))
  }

  @Test("A name finds a string key, then a keyword key")
  func names() {
    var value: TransitValue = [.keyword("text"): 1]
    #expect(value["text"] == 1)
    value["text"] = 2
    #expect(value == [.keyword("text"): 2])
    value[key: "text"] = 3
    #expect(value["text"] == 3)
    #expect(value[keyword: "text"] == 2)
    value["text"] = nil
    #expect(value == [:])
    value["new"] = true
    #expect(value == ["new": true])
    #expect(TransitValue.int(1)["text"] == nil)
  }

  @Test("Paths reach in, and make what is missing")
  func paths() {
    var value: TransitValue = ["todo": [.keyword("tags"): [1, 2, 3]]]
    #expect(value[path: ["todo", "tags", 1]] == 2)
    #expect(value[path: ["todo", .keyword("tags"), 9]] == nil)
    value[path: ["todo", "tags", 1]] = 20
    value[path: ["a", "b", 7]] = "deep"
    #expect(value == ["todo": [.keyword("tags"): [1, 20, 3]], "a": ["b": [7: "deep"]]])
    value[path: ["a", "b"]] = nil
    #expect(value["a"] == [:])
    var number: TransitValue = 1
    number[path: ["a"]] = 2
    #expect(number == 1)
  }

  @Test("A value is small")
  func size() {
    #expect(MemoryLayout<TransitValue>.size <= 17)
    #expect(MemoryLayout<TransitMap>.size == 16)
  }

  @Test("Changing a copy leaves the original")
  func copies() {
    for count in [1, 5, 16, 17, 200] {
      let original = TransitMap((0..<count).map { (key: .int(Int64($0)), value: .int(Int64($0))) })
      var copy = original
      copy[0] = "changed"
      copy["added"] = 1
      #expect(original[0] == 0)
      #expect(original.count == count)
      #expect(copy.count == count + 1)
      copy["added"] = nil
      copy[0] = 0
      #expect(copy == original)
      var set = TransitSet(original.keys)
      let before = set
      set.insert("more")
      #expect(!before.contains("more"))
      let removed = set.remove("more")
      #expect(removed)
      #expect(set == before)
    }
  }

  @Test("A map keeps its order and finds its keys at any size")
  func maps() {
    var map = TransitMap()
    for number in 0..<100 {
      map[.string("key\(number)")] = .int(Int64(number))
      map[.string("key\(number)")] = .int(Int64(2 * number))
    }
    #expect(map.count == 100)
    #expect(map.map(\.value) == (0..<100).map { .int(2 * $0) })
    for number in stride(from: 0, to: 100, by: 2) {
      #expect(map.removeValue(forKey: .string("key\(number)")) != nil)
    }
    #expect(map.keys == stride(from: 1, to: 100, by: 2).map { .string("key\($0)") })
    for number in 0..<100 { #expect((map[.string("key\(number)")] != nil) == (number % 2 == 1)) }
    for number in 0..<100 { map[.string("key\(number)")] = nil }
    #expect(map.isEmpty)
    map["a", default: 0] = 1
    #expect(map == ["a": 1])
  }

  @Test("Big integers compare as numbers")
  func bigIntegers() {
    let sorted = ["-100000000000000000000", "-99", "-9", "0", "5", "10", "18446744073709551616"].compactMap {
      TransitBigInteger($0)
    }
    #expect(sorted.shuffled().sorted() == sorted)
    #expect(TransitBigInteger("-000")?.text == "0")
    #expect(TransitBigInteger("+007")?.text == "7")
    for bad in ["", "-", "1.0", "1a", "٣"] { #expect(TransitBigInteger(bad) == nil) }
    #expect(TransitBigInteger("18446744073709551615")?.exactly(UInt64.self) == .max)
    #expect(TransitBigInteger("18446744073709551616")?.exactly(UInt64.self) == nil)
    #expect(TransitBigInteger("170141183460469231731687303715884105727")?.exactly(Int128.self) == .max)
  }

  @Test("Names have namespaces")
  func namespaces() {
    #expect(Keyword("ns/name").namespace == "ns")
    #expect(Keyword("ns/name").name == "name")
    #expect(Keyword("name").namespace == nil)
    #expect(Symbol("/").name == "/")
    #expect(Symbol("/").namespace == nil)
  }
}
