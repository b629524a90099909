import Foundation
import Transit

/// A small document of about 170 bytes in MessagePack: a text, a flag, keywords, an instant, a UUID, two numbers.
package struct Todo: Codable, Sendable, Equatable {
  package var text: String
  package var done: Bool
  package var tags: Set<Keyword>
  package var created: Date
  package var id: UUID
  package var priority: Int
  package var score: Double
}

/// Documents that are the same in every run. Their ids are scattered, as those of most applications are, which is the
/// worst case for a store that keeps keys in order.
package enum SampleDocuments {
  package static func id(_ number: Int) -> String {
    "todo:" + String(mixed(UInt64(number), 0) | 1 << 63, radix: 16)
  }

  package static func value(_ number: Int) -> TransitValue {
    let todo = todo(number)
    return [
      .keyword("text"): .string(todo.text),
      .keyword("done"): .bool(todo.done),
      .keyword("tags"): .set(TransitSet(todo.tags.map { .keyword($0) })),
      .keyword("created"): .instant(
        millisecondsSince1970: Int64((todo.created.timeIntervalSince1970 * 1000).rounded())),
      .keyword("id"): .uuid(todo.id),
      .keyword("priority"): .int(Int64(todo.priority)),
      .keyword("score"): .double(todo.score),
    ]
  }

  package static func todo(_ number: Int) -> Todo {
    let bits = mixed(UInt64(number), 1)
    let words = (0..<7).map { Self.words[Int(bits >> (8 * $0) & 0xFF) % Self.words.count] }
    return Todo(
      text: words.joined(separator: " "),
      done: bits & 1 == 1,
      tags: [tags[Int(bits >> 16 & 0xFF) % tags.count], tags[Int(bits >> 32 & 0xFF) % tags.count]],
      created: Date(timeIntervalSince1970: 1_700_000_000 + Double(bits >> 40)),
      id: UUID(
        uuid: withUnsafeBytes(of: (bits, mixed(bits, 2))) { $0.loadUnaligned(as: uuid_t.self) }),
      priority: Int(bits % 10), score: Double(bits % 1_000_000) / 10_000)
  }

  private static func mixed(_ number: UInt64, _ stream: UInt64) -> UInt64 {
    var z = (number &+ 1) &* 0x9E37_79B9_7F4A_7C15 &+ stream &* 0xD1B5_4A32_D192_ED03
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  private static let words = [
    "call", "draft", "send", "house", "paper", "ocean", "light", "vivid", "plan", "north", "graph", "fix",
    "write",
    "under", "carry", "alpha", "joker", "check", "knock", "water", "yield", "stone", "inlet", "walk",
  ]
  private static let tags: [Keyword] = [
    "waiting", "home", "garden", "travel", "someday", "health", "phone", "work", "errand", "family", "money",
    "urgent",
  ].map { Keyword($0) }
}
