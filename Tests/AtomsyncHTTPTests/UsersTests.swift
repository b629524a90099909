import AtomsyncCore
import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import AtomsyncHTTPServer

@Suite struct UsersTests {
  // The digest is that of "abc123".
  private static let digest = "6ca13d52ca70c883e0f0bb101e425a89e8624de51db2d2392593af6a84118090"

  @Test func readsTokensAndDigests() throws {
    let users = try users(
      """
      {"alice": {"token": "secret", "groups": ["todo", "team:*"]},
       "bob": {"tokenSHA256": "\(Self.digest.uppercased())", "groups": ["*"], "access": "read"}}
      """)
    let alice = try #require(users.user(token: "secret"))
    #expect(alice.name == "alice" && alice.access == .write)
    #expect(
      alice.includes(group: "todo") && alice.includes(group: "team:a") && alice.includes(group: "team:"))
    #expect(
      !alice.includes(group: "todo2") && !alice.includes(group: "team") && !alice.includes(group: "Todo"))
    let bob = try #require(users.user(token: "abc123"))
    #expect(bob.name == "bob" && bob.access == .read && bob.includes(group: "anything"))
    #expect(users.user(token: "") == nil && users.user(token: Self.digest) == nil)
  }

  @Test func namesOfGroupsAreBytes() throws {
    let user = User("alice", token: "t", groups: ["caf\u{E9}"])
    #expect(user.includes(group: "caf\u{E9}") && !user.includes(group: "cafe\u{301}"))
  }

  @Test(arguments: [
    ("nonsense", "not JSON"),
    ("[]", "object"),
    (#"{"alice": 1}"#, "alice"),
    (#"{"alice": {"token": "t"}}"#, "groups"),
    (#"{"alice": {"token": "t", "groups": "todo"}}"#, "groups"),
    (#"{"alice": {"token": "t", "groups": []}}"#, "no groups"),
    (#"{"alice": {"token": "t", "groups": ["a*b"]}}"#, "a*b"),
    (#"{"alice": {"token": "t", "groups": [""]}}"#, "group"),
    (#"{"alice": {"token": "t", "groups": ["a"], "access": "admin"}}"#, "access"),
    (#"{"alice": {"token": "t", "groups": ["a"], "group": "b"}}"#, "“group”"),
    (#"{"alice": {"groups": ["a"]}}"#, "token"),
    (#"{"alice": {"token": "", "groups": ["a"]}}"#, "token"),
    (#"{"alice": {"token": 7, "groups": ["a"]}}"#, "token"),
    (#"{"alice": {"tokenSHA256": "6ca1", "groups": ["a"]}}"#, "64"),
    (#"{"alice": {"tokenSHA256": "\#(String(repeating: "x", count: 64))", "groups": ["a"]}}"#, "64"),
    (#"{"alice": {"token": "t", "tokenSHA256": "\#(digest)", "groups": ["a"]}}"#, "either"),
    (#"{"a": {"token": "t", "groups": ["a"]}, "b": {"token": "t", "groups": ["b"]}}"#, "same token"),
    (
      #"{"al\u0069ce": {"token": "t", "groups": ["a"]}, "alice" : {"token": "u", "groups": ["b"]}}"#,
      "“alice” stands twice"
    ),
    (#"{"a": {"token": "t", "groups": ["a"], "groups": ["b"]}}"#, "“groups” stands twice"),
    (#"{"": {"token": "t", "groups": ["a"]}}"#, "no name"),
  ]) func refuses(json: String, naming: String) throws {
    let error = try #require(throws: UsersError.self) { try users(json) }
    #expect(error.message.contains(naming))
  }

  @Test(arguments: [String.Encoding.utf16, .utf16LittleEndian, .utf32BigEndian])
  func refusesOtherEncodings(encoding: String.Encoding) throws {
    let json = #"{"a": {"token": "t", "groups": ["a"]}, "a": {"token": "u", "groups": ["b"]}}"#
    let bytes = try #require(json.data(using: encoding))
    let error = #expect(throws: UsersError.self) { try Users(json: Array(bytes)) }
    #expect(error?.message.contains("UTF-8") == true)
  }

  @Test func aFileThatIsNotThereIsNamed() {
    let error = #expect(throws: UsersError.self) { try Users(contentsOf: "no-such-users.json") }
    #expect(error?.message.contains("no-such-users.json") == true)
  }

  @Test func theDoorKnowsItsUsers() async throws {
    let door = AccessController(try .aliceAndBob(), wrongTokens: 10)
    #expect(try await door.caller(request("Bearer abc123")).user?.name == "alice")
    #expect(try await door.caller(request("bearer  abc123")).user?.name == "alice")
    for wrong in [nil, "", "Bearer", "Bearer ", "Bearer abc", "Basic abc123", "abc123"] {
      let error = await #expect(throws: ProtocolError.self) {
        try await door.caller(request(wrong))
      }
      #expect(error?.code == .unauthorized)
      #expect(error?.message.contains("abc") == false)
    }
  }

  @Test func theDoorForgetsWhoIsGone() async throws {
    let door = AccessController(try .aliceAndBob(), wrongTokens: 10)
    let alice = StreamAccess(door, try await door.caller(request("Bearer abc123")))
    #expect(try await alice.admits("todo"))
    #expect(try await !alice.admits("other"))
    door.replace(try Users([User("alice", token: "new", groups: ["todo"])]))
    let error = await #expect(throws: ProtocolError.self) { try await alice.admits("todo") }
    #expect(error?.code == .unauthorized)
    door.replace(try Users([User("alice", token: "abc123", groups: ["other"])]))
    #expect(try await !alice.admits("todo"))
    #expect(try await alice.admits("other"))
    door.replace(try Users([User("bob", token: "abc123", groups: ["other"])]))
    #expect(try await !alice.admits("other"))
    let anybody = StreamAccess(door, .anybody)
    await #expect(throws: ProtocolError.self) { try await anybody.admits("other") }
    door.replace(nil)
    #expect(try await anybody.admits("other"))
    #expect(try await alice.admits("other"))
  }

  private func request(_ authorization: String?) -> EndpointRequest {
    var head = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/sync")
    head.headerFields[.authorization] = authorization
    return EndpointRequest(head, body: .whole(ByteBuffer()), address: nil)
  }

  private func users(_ json: String) throws -> Users { try Users(json: Array(json.utf8)) }
}
