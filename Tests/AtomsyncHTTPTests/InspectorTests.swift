import AsyncHTTPClient
import Atomsync
import AtomsyncCore
import AtomsyncHTTPServer
import AtomsyncTesting
import NIOHTTP1
import Testing
import Transit

/// What the inspector's page asks for, and the page itself. (Tests/Browser has the page in a browser.)
@Suite(.timeLimit(.minutes(1))) struct InspectorTests {
  private func asking(_ server: TestServer, _ path: String, token: String? = nil) async throws
    -> RawClient.Reply
  {
    let headers = token.map { ["Authorization": "Bearer \($0)"] } ?? [:]
    return try await RawClient(url: "http://127.0.0.1:\(server.port)/inspector/\(path)").send(
      headers: headers)
  }

  private func value(
    _ server: TestServer, _ path: String, token: String? = nil
  ) async throws -> TransitValue {
    try TransitValue(transit: try await asking(server, path, token: token).bytes, format: .json)
  }

  private func groups(
    _ server: TestServer, _ query: String = "", token: String? = nil
  ) async throws -> [TransitValue] {
    try await value(server, "groups" + query, token: token)["groups"]?.arrayValue ?? []
  }

  @Test func groupsAreListedAndCounted() async throws {
    try await TestServer.run { server in
      #expect(try await groups(server).isEmpty)
      for id in ["a", "b"] { try await server.put(id) }
      try await server.put("c", group: "notes")
      for _ in 0..<2 {
        let listed = try await groups(server)
        #expect(listed.map { $0["group"] } == ["notes", "todo"])
        #expect(listed.map { $0["documents"] } == [1, 2])
        #expect(listed.allSatisfy { $0["complete"] == true && $0["bytes"] != 0 })
      }
      // What was counted once is counted again when the group has changed.
      _ = try await server.authority.push(
        PushRequest(group: "todo", edits: [Edit(id: "a", version: 1, content: .deleted)]))
      let todo = try await groups(server, "?after=notes")
      #expect(todo.map { $0["documents"] } == [1])
      #expect(todo.map { $0["tombstones"] } == [1])
    }
  }

  /// What one answer has no room for is counted for the next.
  @Test func aLargeGroupDoesNotHideASmallOne() async throws {
    try await TestServer.run { server in
      for page in 0..<20 {
        let edits = try (0..<(page == 19 ? 980 : 1000)).map { try Edit.text("\(page)-\($0)", "x") }
        _ = try await server.authority.push(PushRequest(group: "large", edits: edits))
      }
      for number in 0..<100 { try await server.put("\(number)", group: "small") }
      let first = try await groups(server)
      #expect(
        first.map { $0["documents"] } == [19_980, 20] && first.map { $0["complete"] } == [true, false])
      let second = try await groups(server)
      #expect(
        second.map { $0["documents"] } == [19_980, 100] && second.map { $0["complete"] } == [true, true])
    }
  }

  @Test func manyGroupsComeInPages() async throws {
    try await TestServer.run { server in
      for number in 0..<201 { try await server.put("a", group: "group\(1000 + number)") }
      let first = try await value(server, "groups")
      #expect(first["groups"]?.arrayValue?.count == 200 && first["more"] == true)
      let last = try await value(server, "groups?after=group1199")
      #expect(last["groups"]?.arrayValue?.map { $0["group"] } == ["group1200"])
      #expect(last["more"] == false)
    }
  }

  @Test func whoMayReadAGroupSeesItAndNoOther() async throws {
    let users = try Users([
      User("alice", token: "abc123", groups: ["todo", "team:*", "team:x"]),
      User("root", token: "root99", groups: ["*"], access: .read),
    ])
    try await TestServer.run(users: users) { server in
      for group in ["notes", "team:", "team:x", "teams", "todo", "todo2"] {
        try await server.put("a", group: group)
      }
      #expect(try await asking(server, "groups").status == 401)
      #expect(try await asking(server, "groups", token: "wrong").status == 401)
      let listed = try await groups(server, token: "abc123")
      #expect(listed.map { $0["group"] } == ["team:", "team:x", "todo"])
      let rest = try await groups(server, "?after=team%3A", token: "abc123")
      #expect(rest.map { $0["group"] } == ["team:x", "todo"])
      #expect(try await groups(server, "?after=zzz", token: "abc123").isEmpty)
      #expect(try await groups(server, token: "root99").count == 6)
      #expect(try await asking(server, "changes?group=notes", token: "abc123").status == 403)
      #expect(try await asking(server, "changes?group=todo", token: "abc123").status == 200)
      #expect(try await asking(server, "metrics", token: "abc123").status == 403)
      #expect(try await value(server, "metrics", token: "root99")["metrics"] == "figures 1\n")
    }
  }

  @Test func theNewestChangesComeFirst() async throws {
    try await TestServer.run { server in
      for id in ["a", "b", "c"] { try await server.put(id) }
      try await server.put("a", "again", version: 1)
      /// The ids, and whether more follow.
      func changes(_ query: String) async throws -> [String] {
        let answer = try await value(server, "changes?group=todo\(query)")
        let changes = answer["changes"]?.arrayValue ?? []
        let ids = changes.compactMap { $0["document"]?["id"]?.stringValue }
        return ids + [answer["more"]?.boolValue == true ? "true" : "false"]
      }
      #expect(try await changes("") == ["a", "c", "b", "false"])
      #expect(try await changes("&limit=2") == ["a", "c", "true"])
      #expect(try await changes("&before=3") == ["b", "false"])
      #expect(try await changes("&before=1") == ["false"])
      for query in ["changes", "changes?group=", "changes?group=a&limit=0", "changes?group=a&before=x"] {
        #expect(try await asking(server, query).status == 400, "\(query)")
      }
    }
  }

  @Test func thePageIsTheServersOwn() async throws {
    try await TestServer.run(users: .aliceAndBob()) { server in
      for path in ["", "inspector.js", "replica/atomsync.js", "inspector.css"] {
        let reply = try await asking(server, path)
        #expect(reply.status == 200 && !reply.bytes.isEmpty, "\(path)")
        let policy = reply.headers.first(name: "Content-Security-Policy") ?? ""
        #expect(policy.hasPrefix("default-src 'none'; script-src 'self'; style-src 'self'"))
        #expect(reply.headers.first(name: "X-Content-Type-Options") == "nosniff")
      }
      #expect(try await asking(server, "").text.hasPrefix("<!doctype html>"))
      #expect(try await asking(server, "nothing").status == 404)
      #expect(try await asking(server, "../inspector.js").status == 404)
    }
  }

  /// A page from elsewhere may not look into an open server either.
  @Test func foreignPagesAreKeptOut() async throws {
    try await TestServer.run { server in
      let url = "http://127.0.0.1:\(server.port)/inspector/groups"
      for headers in [
        ["Origin": "http://evil.example"], ["Host": "evil.example"], ["Sec-Fetch-Site": "cross-site"],
      ] {
        let reply = try await RawClient(url: url).send(headers: headers)
        #expect(reply.status == 403, "\(headers)")
      }
      let reply = try await RawClient(url: url).send(.POST, body: .bytes([1]))
      #expect(reply.status == 405 && reply.headers.first(name: "Allow") == "GET")
    }
  }

  /// Clients are told only that something is wrong; who runs the server is told what.
  @Test func whatKeepsTheStoreFromAnsweringIsLogged() async throws {
    let storage = FaultyStorage(MemoryStorage())
    try await TestServer.run(storage: StorageProvider("a bad disk") { _ in storage }) { server in
      storage.failReads(1, with: StorageError(.inaccessible, "The disk is gone."))
      let reply = try await server.raw.send(.GET, "?group=todo")
      #expect(reply.status == 503)
      let line = await server.log.first { $0.hasPrefix("The store did not answer.") }
      #expect(line?.contains("The disk is gone.") == true)
    }
  }
}
