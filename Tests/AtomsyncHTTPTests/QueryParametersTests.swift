import AtomsyncCore
import Testing

@testable import AtomsyncHTTPServer

@Suite struct QueryParametersTests {
  @Test func decodes() throws {
    let query = try QueryParameters("group=a+b%26%C3%A9&&x&y=&group=c%3D=d&cursor=1+2%2B3"[...])
    #expect(query.all("group") == ["a b&é", "c==d"])
    #expect(try query.one("x") == "" && query.one("y") == "" && query.one("z") == nil)
    #expect(try query.one("cursor") == "1+2+3")
  }

  @Test(arguments: ["group=%", "group=%a", "group=%zz", "group=%C3", "%FF=a", "group=%ED%A0%80"])
  func refusesWhatIsNotText(query: String) {
    let error = #expect(throws: ProtocolError.self) { try QueryParameters(query[...]) }
    #expect(error?.code == .invalidParameter)
  }

  @Test func numbers() throws {
    let query = try QueryParameters("a=7&b=0&c=&d=1.5&e=+1&f=9223372036854775808&g=1&g=2"[...])
    #expect(try query.number("a", atLeast: 1) == 7 && query.number("z", atLeast: 1) == nil)
    for name in ["b", "c", "d", "e", "f", "g"] {
      #expect(throws: ProtocolError.self, "\(name)") { try query.number(name, atLeast: 1) }
    }
  }

  @Test func liveGroups() throws {
    let store = "7b6ea8a1-40b7-4c4e-9a55-0d1b0f3f2a11"
    let (a, later) = ("1.\(store).5.5.a", "1.\(store).7.7.a")
    func live(_ query: String, _ lastEventID: String? = nil) throws -> [PullRequest] {
      try LiveRequest(QueryParameters(query[...]), lastEventID: lastEventID, maximumGroups: 3).groups
    }
    #expect(try live("group=a&group=b") == [PullRequest(group: "a"), PullRequest(group: "b")])
    #expect(try live("group=a&group=a") == [PullRequest(group: "a")])
    #expect(
      try live("cursor=\(a)&group=b") == [
        PullRequest(group: "b"), PullRequest(group: "a", cursor: Cursor(a)),
      ])
    #expect(
      try live("group=a&cursor=\(a)&group=b&since=9&limit=3")
        == [
          PullRequest(group: "a", cursor: Cursor(a), limit: 3),
          PullRequest(group: "b", start: .since(9), limit: 3),
        ])
    #expect(
      try live("group=a&cursor=\(a)", later) == [PullRequest(group: "a", cursor: Cursor(later))])
    #expect(try live("group=a&cursor=garbage") == [PullRequest(group: "a", cursor: Cursor("garbage"))])
    #expect(throws: ProtocolError.self) { try live("group=a&group=b&cursor=garbage") }
    #expect(throws: ProtocolError.self) { try live("") }
    let many = (0...1000).map { "group=\($0)" }.joined(separator: "&")
    #expect(throws: ProtocolError.self) { try live(many) }
  }
}
