import Foundation
import Transit

/// A small document, as sync engines move them by the thousand.
struct Todo: Codable, Equatable {
  var text: String
  var done: Bool
  var tags: Set<Keyword>
  var created: Date
  var id: UUID
  var priority: Int
  var score: Double
}

/// Numbers that are the same in every run.
struct Repeatable: RandomNumberGenerator {
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

/// Maps of documents with string keys, each with a text of about 40 characters, a set of keywords, an instant, a UUID,
/// an integer and a double.
enum SampleData {
  private static let words = [
    "call", "draft", "send", "house", "paper", "ocean", "light", "vivid", "plan", "north", "graph", "fix",
    "write",
    "under", "carry", "alpha", "joker", "check", "knock", "water", "yield", "stone", "inlet", "walk",
  ]
  private static let tags = [
    "waiting", "home", "garden", "travel", "someday", "health", "phone", "work", "errand", "family", "money",
    "urgent",
    "later", "reading", "music", "sport", "car", "school", "friends", "computer",
  ]

  static func documents(_ count: Int) -> TransitValue {
    var random = Repeatable(seed: 1)
    var map = TransitMap()
    for number in 0..<count {
      var text = ""
      while text.utf8.count < 40 { text += (text.isEmpty ? "" : " ") + words.randomElement(using: &random)! }
      text = String(text.prefix(Int.random(in: 36...44, using: &random)))
      var tagSet = TransitSet()
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        tagSet.insert(.keyword(tags.randomElement(using: &random)!))
      }
      let uuid = UUID(
        uuid: withUnsafeBytes(of: (random.next(), random.next())) { $0.loadUnaligned(as: uuid_t.self) })
      map[.string("todo:\(number)")] = [
        .keyword("text"): .string(text),
        .keyword("done"): .bool(Bool.random(using: &random)),
        .keyword("tags"): .set(tagSet),
        .keyword("created"): .instant(
          millisecondsSince1970: Int64.random(in: 1_700_000_000_000...1_760_000_000_000, using: &random)),
        .keyword("id"): .uuid(uuid),
        .keyword("priority"): .int(Int64.random(in: 0...9, using: &random)),
        .keyword("score"): .double(Double(Int.random(in: 0...999_999, using: &random)) / 10_000),
      ]
    }
    return .map(map)
  }

  /// The same data as plain JSON has it: strings for keywords, instants and UUIDs, arrays for sets.
  static func plain(_ value: TransitValue) -> Any {
    switch value {
    case .map(let map):
      var result: [String: Any] = [:]
      for (key, value) in map { result[key.stringValue ?? key.keywordValue?.text ?? ""] = plain(value) }
      return result
    case .array(let items): return items.map(plain)
    case .set(let set): return set.map(plain)
    case .string(let text): return text
    case .keyword(let keyword): return keyword.text
    case .uuid(let uuid): return uuid.uuidString.lowercased()
    case .instant(let instant): return instant.description
    case .bool(let value): return value
    case .int(let value): return value
    case .double(let value): return value
    default: return NSNull()
    }
  }
}
