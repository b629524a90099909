internal import AtomsyncCore
internal import Foundation
internal import Transit

/// Messages and values of every kind, for the kits.
enum Samples {
  /// One of each type, and the ends of their ranges.
  static func values() throws -> [TransitValue] {
    let texts = [
      "nil", "true", "false", "0", "-1", "9223372036854775807", "-9223372036854775808", "9007199254740993",
      "123456789012345678901234567890N", "1.0", "-0.0", "1.5e300", "##Inf", "##NaN", "1.50M", "1/2",
      #""""#, #""é\n""#, #""~:x""#, #""^0""#, #""`""#, ":k", ":a/b", "s/t", #"\a"#,
      #"#uuid "01020304-0506-0708-090a-0b0c0d0e0f10""#, #"#inst "1969-12-31T23:59:59.999-00:00""#, "[]",
      "[1 [nil]]",
      "(1 2)", "#{}", "#{:a :b}", #"{:a 1 "a" 2 1 nil}"#, "{[1] #{}}", "#note [1]",
    ]
    return try texts.map { try TransitValue(edn: $0) } + [.bytes([]), .bytes([0, 255]), .uri("http://a/")]
  }

  static func page(_ values: [(id: String, value: TransitValue)]) throws -> PullPage {
    PullPage(
      group: "g",
      documents: try values.map { id, value in
        Document(id: id, version: 1, updated: 1_790_000_000_000, content: try content(value))
      }, cursor: Cursor("c"), hasMore: false, now: 1_790_000_000_001)
  }

  static func content(_ value: TransitValue) throws -> Content {
    .value(Payload(bytes: try value.transit(.msgpack)))
  }

  static func pages() throws -> [PullPage] {
    var full = try page(values().enumerated().map { ("\($0.offset)", $0.element) })
    full.documents.append(Document(id: "gone", version: .max, updated: 0, content: .deleted))
    full.documents.append(Document(id: "日本/é ~:^", version: 2, updated: .max, content: try content(.int(1))))
    full.store = client
    full.hasMore = true
    full.isReset = true
    full.user = "alice"
    return [try page([]), full]
  }

  static func pushes() throws -> [PushRequest] {
    [
      PushRequest(group: "g", edits: []),
      PushRequest(
        group: "g", ticket: PushTicket(client: client, number: .max), isAtomic: true,
        edits: [
          Edit(id: "a", version: 0, content: try content(.keyword("k"))),
          Edit(id: "b", version: .max, content: .deleted),
        ], user: "alice", cursor: Cursor("c"), seen: Cursor("s")),
    ]
  }

  static func answers() throws -> [PushAnswer] {
    let current = Document(id: "b", version: 2, updated: 9, content: try content(.set([.int(1)])))
    return [
      PushAnswer(group: "g", accepted: [], rejected: [], now: 0),
      PushAnswer(
        group: "g", accepted: [.init(id: "a", version: 4, updated: 5)],
        rejected: [
          .init(id: "b", reason: .stale, current: current),
          .init(
            id: "c", reason: .stale, current: Document(id: "c", version: 0, updated: 9, content: .deleted)),
          .init(id: "d", reason: .invalid, message: "Zu früh."),
          .init(id: "e", reason: RejectionReason("of-tomorrow")),
        ], seen: Cursor("s"), isReset: true, now: 1),
    ]
  }

  static let client = UUID(uuid: (16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1))
}
