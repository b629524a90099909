import AtomsyncCore
import Foundation
import Testing
import Transit

@Suite("Wire messages")
struct WireMessageTests {
  static let codecs: [TransitCodec] = [.transitJSON, .transitVerboseJSON, .transitMsgPack]

  static func payload(_ value: TransitValue) throws -> Payload {
    Payload(bytes: try value.transit(.msgpack))
  }

  @Test("A page comes back as it was", arguments: codecs)
  func page(codec: TransitCodec) throws {
    let value: TransitValue = ["text": "Buy milk", "tags": .set([.keyword("groceries"), .keyword("home")])]
    let page = PullPage(
      group: "todo",
      documents: [
        Document(
          id: "todo:1", version: 3, updated: 1_790_000_000_000, content: .value(try Self.payload(value))),
        Document(id: "todo:9", version: 5, updated: 1_790_000_000_001, content: .deleted),
        Document(id: "null", version: 1, updated: 0, content: .value(try Self.payload(.null))),
      ],
      cursor: Cursor("1.x.7.0.todo"), hasMore: true, isReset: true, now: 1_790_000_000_002, user: "alice")
    #expect(try codec.decode(PullPage.self, from: try codec.encode(page)) == page)
  }

  @Test("A push comes back as it was", arguments: codecs)
  func push(codec: TransitCodec) throws {
    let push = PushRequest(
      group: "todo", ticket: PushTicket(client: UUID(), number: 17), isAtomic: true,
      edits: [
        Edit(id: "todo:1", version: 3, content: .value(try Self.payload(.double(1)))),
        Edit(id: "todo:2", version: 0, content: .deleted),
      ], user: "alice", cursor: Cursor("c"), seen: Cursor("s"))
    #expect(try codec.decode(PushRequest.self, from: try codec.encode(push)) == push)
    let bare = PushRequest(group: "todo", edits: [])
    #expect(try codec.decode(PushRequest.self, from: try codec.encode(bare)) == bare)
  }

  @Test("An answer comes back as it was", arguments: codecs)
  func answer(codec: TransitCodec) throws {
    let answer = PushAnswer(
      group: "todo", accepted: [.init(id: "a", version: 4, updated: 5)],
      rejected: [
        .init(
          id: "b", reason: .stale,
          current: Document(id: "b", version: 2, updated: 9, content: .value(try Self.payload("theirs")))),
        .init(id: "c", reason: .stale, current: Document(id: "c", version: 0, updated: 9, content: .deleted)),
        .init(id: "d", reason: RejectionReason("of-tomorrow")),
      ], seen: Cursor("s"), isReset: true, now: 1)
    #expect(try codec.decode(PushAnswer.self, from: try codec.encode(answer)) == answer)
  }

  @Test("An error comes back as it was", arguments: codecs)
  func error(codec: TransitCodec) throws {
    let error = ProtocolError(.tooLarge, "Too large.", limit: 8)
    #expect(try codec.decode(ProtocolError.self, from: try codec.encode(error)) == error)
  }

  @Test("Fields of a newer peer are skipped")
  func unknownFields() throws {
    let text =
      #"{"~:group":"g","~:new":{"deep":[1,{"~#set":[2]}]},"~:docs":[{"~:id":"a","~:value":1,"~:x":[]}]}"#
    let push = try TransitCodec.transitJSON.decode(PushRequest.self, from: Array(text.utf8))
    #expect(push.edits == [Edit(id: "a", version: 0, content: .value(try Self.payload(.int(1))))])
  }

  @Test(
    "What is no message is an error that says why",
    arguments: [
      (#"{"~:docs":[]}"#, "no :group"),
      (#"{"~:group":"g"}"#, "no :docs"),
      (#"{"~:group":"g","~:push":1,"~:docs":[]}"#, ":client and :push"),
      (#"{"~:group":"g","~:docs":[{"~:version":1,"~:value":1}]}"#, "no :id"),
      (#"{"~:group":"g","~:docs":[{"~:id":"a"}]}"#, "neither :value nor :deleted"),
    ])
  func malformed(text: String, reason: String) throws {
    let error = #expect(throws: MessageError.self) {
      try TransitCodec.transitJSON.decode(PushRequest.self, from: Array(text.utf8))
    }
    #expect(error?.message.contains(reason) ?? false)
  }
}

@Suite("Names")
struct NamesTests {
  @Test(
    "Groups and ids within the rules", arguments: ["a", "todo:1", "ä😀", String(repeating: "x", count: 128)])
  func good(name: String) {
    #expect(Names.problem(group: name) == nil)
    #expect(Names.problem(id: name) == nil)
  }

  @Test("Empty names and control characters", arguments: ["", "a\u{0}", "\n", "\u{7F}", "x\u{85}", "\u{9F}"])
  func bad(name: String) {
    #expect(Names.problem(group: name) != nil)
    #expect(Names.problem(id: name) != nil)
  }

  @Test("The limits count bytes of UTF-8")
  func limits() {
    #expect(Names.problem(group: String(repeating: "ä", count: 64)) == nil)
    #expect(Names.problem(group: String(repeating: "ä", count: 64) + "x") != nil)
    #expect(Names.problem(id: String(repeating: "x", count: 256)) == nil)
    #expect(Names.problem(id: String(repeating: "x", count: 257)) != nil)
  }
}

@Suite("Key ranges")
struct KeyRangeTests {
  @Test("A prefix holds what begins with it, and nothing else")
  func prefix() {
    let range = KeyRange(prefix: [1, 0xFF])
    #expect(range.contains([1, 0xFF]))
    #expect(range.contains([1, 0xFF, 0xFF, 0xFF]))
    #expect(!range.contains([1, 0xFE, 0xFF]))
    #expect(!range.contains([2]))
    #expect(KeyRange(prefix: [0xFF, 0xFF]).upper == nil)
  }
}
