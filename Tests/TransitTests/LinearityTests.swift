import Testing

@testable import Transit

/// Comparing, hashing and reading take time that is linear in the value. Where each level of nesting doubled the work of
/// the levels below, none of these would end within a lifetime.
@Suite(.timeLimit(.minutes(1)))
struct LinearityTests {
  /// Two texts of one value: composites within composites, `depth` levels, in two orders.
  private func texts(depth: Int, _ level: (_ inner: String, _ flipped: Bool) -> String) -> (String, String) {
    var texts = ("0", "0")
    for _ in 0..<depth { texts = (level(texts.0, false), level(texts.1, true)) }
    return texts
  }

  private func expectEqual(_ texts: (String, String)) throws {
    let left = try TransitValue(transit: Array(texts.0.utf8), format: .json)
    let right = try TransitValue(transit: Array(texts.1.utf8), format: .json)
    #expect(left == right)
    #expect(left.hashValue == right.hashValue)
    let other = try TransitValue(
      transit: Array(texts.1.replacing("0", with: "1", maxReplacements: 1).utf8), format: .json)
    #expect(left != other)
  }

  @Test func setsWithinSets() throws {
    try expectEqual(
      texts(depth: 200) { $1 ? "[\"~#set\",[[],\($0)]]" : "[\"~#set\",[\($0),[]]]" })
  }

  @Test func mapsAsKeysOfMaps() throws {
    try expectEqual(
      texts(depth: 200) { $1 ? "[\"~#cmap\",[[],0,\($0),2]]" : "[\"~#cmap\",[\($0),2,[],0]]" })
  }

  @Test func arraysAndMapsBetweenSets() throws {
    try expectEqual(
      texts(depth: 100) {
        $1
          ? "[\"~#set\",[[],[\"^ \",\"b\",1,\"a\",[\($0),1]]]]"
          : "[\"~#set\",[[\"^ \",\"a\",[\($0),1],\"b\",1],[]]]"
      })
  }

  @Test func setsThatDifferLateWithinSets() throws {
    // Each of the sixteen elements is the inner value and a number: to compare two of them is to compare the inner first.
    let items = { (inner: String, order: [Int]) in order.map { "[\(inner),\($0)]" }.joined(separator: ",") }
    try expectEqual(
      texts(depth: 3) { "[\"~#set\",[\(items($0, $1 ? (0..<16).reversed() : Array(0..<16)))]]" })
  }

  @Test func setsAroundALongArray() throws {
    let long = Array(repeating: "12345678", count: 100_000).joined(separator: ",")
    let rest = (1...16).map { "[\($0)]" }.joined(separator: ",")
    let (text, _) = texts(depth: 200) { inner, _ in
      inner == "0" ? "[\"~#set\",[[\(long)],\(rest)]]" : "[\"~#set\",[\(inner),\(rest)]]"
    }
    let clock = ContinuousClock()
    var value: TransitValue?
    let nested = try clock.measure { value = try TransitValue(transit: Array(text.utf8), format: .json) }
    let flat = try clock.measure { _ = try TransitValue(transit: Array("[\(long)]".utf8), format: .json) }
    #expect(value?.hashValue == value?.hashValue)
    // Two hundred times the flat one, if every level hashed the array anew.
    #expect(nested < flat * 40, "\(nested), \(flat)")
  }

  @Test func theTableIsMadeAnewOnlyToGrow() {
    var set = TransitSet()
    var tables = 0
    var table: ObjectIdentifier?
    for number in 0..<10_000 {
      set.insert(.int(Int64(number)))
      let current = set.index.map(ObjectIdentifier.init)
      if current != table { tables += 1 }
      table = current
    }
    // It doubles from 17 members on.
    #expect((1...12).contains(tables), "\(tables)")
  }

  @Test func digestsFollowEveryChange() {
    var random = SystemRandomNumberGenerator()
    let keys: [TransitValue] = (0..<40).map { $0 % 3 == 0 ? .array([.int(Int64($0))]) : .int(Int64($0)) }
    var map = TransitMap()
    var set = TransitSet()
    for step in 0..<2000 {
      let key = keys[Int.random(in: 0..<keys.count, using: &random)]
      let (oldMap, oldSet) = (map, set)
      if Bool.random(using: &random) {
        map[key] = .int(Int64(step))
        set.insert(key)
      } else {
        map[key] = nil
        set.remove(key)
      }
      let rebuilt = (TransitMap(map.shuffled(using: &random)), TransitSet(set.shuffled(using: &random)))
      #expect(map == rebuilt.0 && rebuilt.0 == map && map.hashValue == rebuilt.0.hashValue)
      #expect(set == rebuilt.1 && rebuilt.1 == set && set.hashValue == rebuilt.1.hashValue)
      #expect(oldMap != map || oldMap.map(\.key) == map.map(\.key))
      #expect(oldSet == TransitSet(oldSet.elements))
    }
  }

  @Test func aDigestFitsIntoThePlaceOfOneValue() {
    #expect(MemoryLayout<TransitValue>.stride >= 3 * MemoryLayout<Int>.size)
  }
}
