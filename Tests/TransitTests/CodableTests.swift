import Testing
import Transit

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

enum Priority: String, Codable { case low, high }
enum Level: Int, Codable {
  case first = 1
  case second
}
enum Shape: Codable, Equatable {
  case circle(radius: Double)
  case empty
}

struct Everything: Codable, Equatable {
  var bool = true
  var int = -5
  var small: Int8 = 127
  var large: UInt64 = .max
  var wide: Int128 = .max
  var double = 1.5
  var float: Float = 0.25
  var string = "text"
  var date = Instant(milliseconds: 1_754_000_000_123).date
  var uuid = UUID()
  var url = URL(string: "http://example.com/a?b=c")
  var data = Data([1, 2, 3])
  var decimal = Decimal(string: "12345678901234567890.50")
  var tags: Set<Keyword> = ["a", "b"]
  var numbers: Set<Int> = [1, 2, 3]
  var byName = ["x": 1, "y": 2]
  var byNumber = [1: "one", 2: "two"]
  var byID = [UUID(): ["nested": [1.5, 2.5]]]
  var byList = [[1, 2]: Priority.high]
  var optional: Int?
  var optionals: [String?] = ["a", nil]
  var nested = [[1, 2], []]
  var priority = Priority.low
  var level = Level.second
  var shape = Shape.circle(radius: 2)
  var shapes = [Shape.empty]
  var value: TransitValue = ["any": [1, .tagged("point", [1, 2])]]
  var keyword: Keyword = "ns/name"
  var symbol: Symbol = "sym"
  var big: TransitBigInteger = 5
  var instant = Instant(milliseconds: -1)
  var map: TransitMap = [[1]: 2]
}

class Animal: Codable {
  var name = ""
  init() {}
}

final class Dog: Animal {
  var age = 0
  override init() { super.init() }
  enum CodingKeys: CodingKey { case age }
  required init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    age = try container.decode(Int.self, forKey: .age)
    try super.init(from: container.superDecoder())
  }
  override func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(age, forKey: .age)
    try super.encode(to: container.superEncoder())
  }
}

struct Document: Codable, Equatable {
  var text: String
  var rest = TransitRest()

  enum CodingKeys: String, CodingKey, CaseIterable { case text }

  init(from decoder: any Decoder) throws {
    text = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .text)
    rest = try TransitRest(from: decoder, without: CodingKeys.self)
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(text, forKey: .text)
    try rest.encode(into: encoder)
  }
}

struct Point: TransitRepresentable, Hashable {
  static let transitTag = "point"
  struct Malformed: Error {}
  var x: Double
  var y: Double

  init(x: Double, y: Double) { (self.x, self.y) = (x, y) }

  var transitRep: TransitValue { [.double(x), .double(y)] }

  init(transitRep rep: TransitValue) throws {
    guard let x = rep[0]?.doubleValue, let y = rep[1]?.doubleValue else { throw Malformed() }
    self.init(x: x, y: y)
  }
}

struct Info: Codable, Equatable {
  var text: String?

  init(from decoder: any Decoder) throws {
    text = decoder.userInfo[CodingUserInfoKey(rawValue: "text")!] as? String
  }

  init() {}

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(encoder.userInfo[CodingUserInfoKey(rawValue: "text")!] as? String)
  }
}

@Suite("Codable")
struct CodableTests {
  @Test("Every kind of property survives every encoding", arguments: TransitFormat.allCases)
  func everything(format: TransitFormat) throws {
    let original = Everything()
    let bytes = try TransitEncoder().encode(original, format: format)
    #expect(try TransitDecoder().decode(Everything.self, from: bytes, format: format) == original)
    var strings = TransitEncoder()
    strings.keyStrategy = .strings
    strings.enumStrategy = .strings
    let other = try strings.encode(original, format: format)
    #expect(other != bytes)
    #expect(try TransitDecoder().decode(Everything.self, from: other, format: format) == original)
  }

  @Test("Types become the Transit types of their own")
  func mapping() throws {
    let value = try TransitEncoder().encode(Everything())
    #expect(value[keyword: "string"] == "text")
    #expect(value[keyword: "date"] == .instant(millisecondsSince1970: 1_754_000_000_123))
    #expect(value[keyword: "url"] == .uri("http://example.com/a?b=c"))
    #expect(value[keyword: "data"] == .bytes([1, 2, 3]))
    #expect(value[keyword: "tags"] == .set([.keyword("a"), .keyword("b")]))
    #expect(value[keyword: "byNumber"] == [1: "one", 2: "two"])
    #expect(value[keyword: "byName"] == ["x": 1, "y": 2])
    #expect(value[keyword: "byList"] == [[1, 2]: .keyword("high")])
    #expect(value[keyword: "priority"] == .keyword("low"))
    #expect(value[keyword: "level"] == 2)
    #expect(value[keyword: "large"] == .bigInt(TransitBigInteger(UInt64.max)))
    #expect(value[keyword: "wide"] == .bigInt(TransitBigInteger(Int128.max)))
    #expect(value[keyword: "optionals"] == ["a", nil])
    #expect(value[keyword: "shape"] == [.keyword("circle"): [.keyword("radius"): 2.0]])
    #expect(value[keyword: "value"] == ["any": [1, .tagged("point", [1, 2])]])
    #expect(value[keyword: "optional"] == nil)
  }

  @Test("Top levels of all kinds")
  func topLevels() throws {
    func same<T: Codable & Equatable>(_ value: T) throws {
      #expect(
        try TransitDecoder().decode(
          T.self, from: TransitEncoder().encode(value, format: .json), format: .json) == value)
    }
    try same(5)
    try same("text")
    try same([1, 2, 3])
    try same(["a": [true]])
    try same(Priority.high)
    try same(Optional<Int>.none)
    try same(Optional("x"))
    try same(TransitValue.set([1]))
    try same(Keyword("a"))
    try same(Date(timeIntervalSince1970: 0))
    try same([Point(x: 1, y: 2): "p"])
  }

  @Test("A superclass has a place of its own")
  func superclasses() throws {
    let dog = Dog()
    (dog.name, dog.age) = ("Rex", 3)
    let value = try TransitEncoder().encode(dog)
    #expect(value == [.keyword("age"): 3, .keyword("super"): [.keyword("name"): "Rex"]])
    let back = try TransitDecoder().decode(Dog.self, from: value)
    #expect(back.name == "Rex")
    #expect(back.age == 3)
  }

  @Test("Unknown fields survive decode, change, encode")
  func rest() throws {
    let newer: TransitValue = [
      .keyword("text"): "old", .keyword("color"): .tagged("rgb", [1, 2, 3]), "string": 1, [1]: .set([2]),
    ]
    var document = try TransitDecoder().decode(Document.self, from: newer)
    document.text = "new"
    var expected = newer
    expected[keyword: "text"] = "new"
    #expect(try TransitEncoder().encode(document) == expected)
  }

  @Test("userInfo reaches the types")
  func userInfo() throws {
    var decoder = TransitDecoder()
    var encoder = TransitEncoder()
    let key = try #require(CodingUserInfoKey(rawValue: "text"))
    decoder.userInfo[key] = "hello"
    encoder.userInfo[key] = "hello"
    #expect(try decoder.decode([Info].self, from: [1])[0].text == "hello")
    #expect(try encoder.encode([Info()]) == ["hello"])
  }

  @Test("Errors name the place")
  func errors() {
    func path<T: Decodable>(_ type: T.Type, _ value: TransitValue) -> [String] {
      do {
        _ = try TransitDecoder().decode(type, from: value)
        return ["none"]
      } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
        DecodingError.dataCorrupted(let context), DecodingError.keyNotFound(_, let context)
      {
        return context.codingPath.map(\.stringValue)
      } catch {
        return ["\(error)"]
      }
    }
    #expect(path([String: [Int]].self, ["a": [1, "x"]]) == ["a", "1"])
    #expect(path([Everything].self, [[.keyword("bool"): 1]]) == ["0", "bool"])
    #expect(path([Everything].self, [[.keyword("bool"): true]]) == ["0"])
    #expect(path([Int8].self, [1, 128]) == ["1"])
    #expect(path(Set<UUID>.self, .set([1])) == ["0"])
    #expect(path([String].self, [.keyword("a")]) == ["0"])
    #expect(path([Point].self, [.tagged("point", 1)]) == ["0"])
    #expect(path(Int.self, .null) == [])
  }

  @Test("A type of its own tag goes through Codable and values")
  func represented() throws {
    let points = [Point(x: 1, y: 2), Point(x: 0, y: -1)]
    let value = try TransitEncoder().encode(points)
    #expect(value == [.tagged("point", [1.0, 2.0]), .tagged("point", [0.0, -1.0])])
    #expect(try TransitDecoder().decode([Point].self, from: value) == points)
    #expect(throws: DecodingError.self) { try TransitDecoder().decode(Point.self, from: .tagged("other", 1)) }
  }

  @Test("A reader's handlers replace tags, innermost first")
  func handlers() throws {
    var handlers = TransitHandlers()
    handlers["double"] = { rep in .int((rep.intValue ?? 0) * 2) }
    let bytes = utf8(##"["^ ","a",["~#double",["~#double",5]],"b",[["~#other",["~#double",1]]]]"##)
    let value = try TransitValue(transit: bytes, format: .json, handlers: handlers)
    #expect(value == ["a": 20, "b": [.tagged("other", 2)]])
    handlers["double"] = { _ in throw Point.Malformed() }
    let error = #expect(throws: TransitError.self) {
      try TransitValue(transit: bytes, format: .json, handlers: handlers)
    }
    #expect(error?.code == .handlerFailed)
    #expect(error?.path == [.key("\"a\"")])
    var decoder = TransitDecoder()
    decoder.handlers["celsius"] = { $0 }
    #expect(try decoder.decode([Int].self, from: [.tagged("celsius", 20)]) == [20])
  }

  @Test("Values go through other coders as EDN")
  func foreignCoders() throws {
    let value: TransitValue = ["a": [.keyword("b"), 1.5]]
    let data = try JSONEncoder().encode([value])
    #expect(try JSONDecoder().decode([TransitValue].self, from: data) == [value])
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode([TransitValue].self, from: Data("[\"(\"]".utf8))
    }
  }
}
