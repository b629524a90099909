import Testing

@testable import AtomsyncHTTPClient

@Suite struct ServerSentEventParserTests {
  private static let cases: [(text: String, events: [ServerSentEvent])] = [
    ("data: a\n\n", [event("a")]),
    ("data:a\n\n", [event("a")]),
    ("data:  a\n\n", [event(" a")]),
    ("\u{FEFF}data: a\n\n", [event("a")]),
    ("data: a\ndata: b\n\n", [event("a\nb")]),
    ("data\ndata\n\n", [event("\n")]),
    ("data: a\r\ndata: b\r\n\r\n", [event("a\nb")]),
    ("data: a\r\rdata: b\r\r", [event("a"), event("b")]),
    (": comment\n\ndata: a\n\n", [event("a")]),
    (":\n\n:\n\n", []),
    ("id: 7\nevent: page\ndata: a\n\ndata: b\n\n", [event("a", id: "7", name: "page"), event("b", id: "7")]),
    ("id: 7\n\nid\ndata: a\n\n", [event("a", id: "")]),
    ("id: a\0b\ndata: a\n\n", [event("a")]),
    ("event: page\n\ndata: a\n\n", [event("a")]),
    ("retry: 10\nnonsense\nfoo: bar\ndata: a\n\n", [event("a")]),
    ("data: a\n\ndata: unfinished\n", [event("a")]),
    ("data: \u{1F600}é\n\n", [event("\u{1F600}é")]),
  ]

  @Test(arguments: cases.indices) func everyWayToCutIt(index: Int) throws {
    let (text, events) = Self.cases[index]
    let bytes = Array(text.utf8)
    for size in 1...bytes.count {
      var parser = ServerSentEventParser(limit: 1000)
      var found: [ServerSentEvent] = []
      for start in stride(from: 0, to: bytes.count, by: size) {
        found += try parser.feed(bytes[start..<min(start + size, bytes.count)])
      }
      #expect(found == events, "in pieces of \(size)")
    }
  }

  @Test func anEventIsBounded() throws {
    var parser = ServerSentEventParser(limit: 10)
    #expect(throws: ServerSentEventParser.TooLarge.self) { try parser.feed(Array("data: 0123456789".utf8)) }
    var lines = ServerSentEventParser(limit: 10)
    #expect(throws: ServerSentEventParser.TooLarge.self) {
      for _ in 0..<10 { _ = try lines.feed(Array("data: 0\n".utf8)) }
    }
    var many = ServerSentEventParser(limit: 10)
    for _ in 0..<10 { #expect(try many.feed(Array("data: 0\n\n".utf8)).count == 1) }
  }

  private static func event(_ data: String, id: String? = nil, name: String = "message") -> ServerSentEvent {
    ServerSentEvent(id: id, name: name, data: Array(data.utf8))
  }
}
