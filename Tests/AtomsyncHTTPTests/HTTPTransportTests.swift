import Atomsync
import AtomsyncCore
import Foundation
import Testing

@testable import AtomsyncHTTPClient
@testable import AtomsyncHTTPServer

@Suite(.timeLimit(.minutes(1))) struct HTTPTransportTests {
  @Test(arguments: [TransitCodec.transitJSON, .transitVerboseJSON, .transitMsgPack])
  func pullsAndPushes(codec: TransitCodec) async throws {
    try await TestServer.run { server in
      try await server.withClient(codec: codec) { client in
        let ticket = PushTicket(client: UUID(), number: 1)
        let push = PushRequest(
          group: "todo", ticket: ticket, edits: [try .text("a", "é"), try .text("b", "stale", version: 4)])
        let answer = try await client.push(push)
        #expect(answer.accepted.map(\.id) == ["a"])
        #expect(answer.rejected.first?.reason == .stale && answer.rejected.first?.current?.version == 0)
        #expect(try await client.push(push).accepted == answer.accepted)
        let page = try await client.pull(PullRequest(group: "todo"))
        #expect(page.documents.map(\.content) == [push.edits[0].content])
        let next = try await client.pull(PullRequest(group: "todo", cursor: page.cursor, limit: 5))
        #expect(next.documents.isEmpty && next.cursor == page.cursor)
        #expect(try await client.pull(PullRequest(group: "todo", start: .since(0))).documents.count == 1)
      }
    }
  }

  @Test func whatTheServerRefusesIsTyped() async throws {
    var limits = Limits()
    limits.bodyBytes = 1000
    try await TestServer.run(users: .aliceAndBob(), limits: limits) { server in
      try await expect(.unauthorized, server, token: nil) { try await $0.pull(PullRequest(group: "todo")) }
      try await expect(.unauthorized, server, token: "wrong") {
        try await $0.pull(PullRequest(group: "todo"))
      }
      try await expect(.forbidden, server) { try await $0.pull(PullRequest(group: "other")) }
      try await expect(.refused, server) { try await $0.pull(PullRequest(group: "")) }
      try await expect(.forbidden, server, token: "def456") {
        try await $0.push(PushRequest(group: "todo", edits: []))
      }
      try await expect(.wrongUser, server) {
        try await $0.push(PushRequest(group: "todo", edits: [], user: "bob"))
      }
      try await expect(.tooLarge, server) {
        let text = String(repeating: "x", count: 2000)
        return try await $0.push(PushRequest(group: "todo", edits: [.text("a", text)]))
      }
      try await expect(.stalePush, server) { client in
        let id = UUID()
        for number in [2, 1] {
          _ = try await client.push(
            PushRequest(group: "todo", ticket: PushTicket(client: id, number: Int64(number)), edits: []))
        }
      }
      try await expect(.unauthorized, server, token: "wrong") {
        try await $0.live(LiveRequest(groups: [PullRequest(group: "todo")])) { _ in }
      }
      try await expect(.forbidden, server) {
        try await $0.live(LiveRequest(groups: [PullRequest(group: "other")])) { _ in }
      }
    }
  }

  @Test func aBusyServerSaysForHowLong() async throws {
    try await TestServer.run { server in
      await server.authority.close()
      let error = try await expect(.unavailable, server, token: nil) {
        try await $0.pull(PullRequest(group: "todo"))
      }
      #expect(error?.retryAfter == .seconds(1))
    }
  }

  @discardableResult
  private func expect<Value: Sendable>(
    _ code: TransportError.Code, _ server: TestServer, token: String? = "abc123",
    _ body: @Sendable (HTTPTransport) async throws -> Value
  ) async throws -> TransportError? {
    try await server.withClient(token: token) { client in
      let error = await #expect(throws: TransportError.self) { _ = try await body(client) }
      #expect(error?.code == code, "\(error?.description ?? "")")
      return error
    }
  }

  @Test func aRefusedTokenIsRenewedOnceForAll() async throws {
    try await TestServer.run(users: .aliceAndBob()) { server in
      let calls = Lock(0)
      let gate = Gate()
      let client = try HTTPTransport(server.url) {
        let number = calls.withLock { calls in
          calls += 1
          return calls
        }
        if number <= 8 { return "old" }
        // Until all eight have been refused, or might have been.
        await gate.wait()
        return "abc123"
      }
      try await withThrowingTaskGroup(of: PullPage.self) { group in
        for _ in 0..<8 { group.addTask { try await client.pull(PullRequest(group: "todo")) } }
        var refused = 0
        for await line in server.log where line.contains("401") {
          refused += 1
          if refused == 8 { break }
        }
        await gate.open()
        for try await page in group { #expect(page.user == "alice") }
      }
      // Eight for the requests; one or a few more for the refusals, never one each.
      #expect(calls.withLock { $0 } < 16)
      await client.close()
    }
  }

  @Test func aTokenThatStaysWrongIsNotTriedForever() async throws {
    try await TestServer.run(users: .aliceAndBob()) { server in
      let calls = Lock(0)
      let client = try HTTPTransport(server.url) {
        calls.withLock { $0 += 1 }
        return "wrong"
      }
      let error = await #expect(throws: TransportError.self) {
        try await client.pull(PullRequest(group: "todo"))
      }
      #expect(error?.code == .unauthorized && calls.withLock { $0 } == 2)
      await client.close()
    }
  }

  @Test func credentialsThatFailArePassing() async throws {
    struct Offline: Error {}
    let client = try HTTPTransport("http://127.0.0.1:1/sync") { throw Offline() }
    let error = await #expect(throws: TransportError.self) {
      try await client.pull(PullRequest(group: "todo"))
    }
    #expect(error?.code == .unavailable)
    await client.close()
  }

  @Test(arguments: [
    "", "localhost:8090", "ftp://localhost/sync", "http://", "http:///sync", "http://u:secret@localhost/sync",
    "http://localhost:0/sync", "http://localhost:99999/sync", "http://localhost/sync?x=1",
    "http://localhost/#a",
    "not a url",
  ]) func refusesWhatIsNotAServersURL(url: String) throws {
    let error = #expect(throws: TransportError.self) { try HTTPTransport(url) }
    #expect(error?.code == .unsupported)
    #expect(error?.message.contains("secret") == false)
  }

  @Test func spellsURLs() throws {
    #expect(try Endpoint("http://localhost:8090").url == "http://localhost:8090/sync")
    #expect(try Endpoint("https://example.com/a/b").url == "https://example.com/a/b")
    let endpoint = try Endpoint("http://h/sync")
    #expect(
      endpoint.pull(PullRequest(group: "a b&é", start: .cursor(Cursor("1.x+y")), limit: 7))
        == "http://h/sync?group=a%20b%26%C3%A9&cursor=1.x%2By&limit=7")
    let live = LiveRequest(groups: [PullRequest(group: "a", cursor: Cursor("c")), PullRequest(group: "b")])
    #expect(endpoint.live(live) == "http://h/sync?group=a&cursor=c&group=b")
    #expect(TransportProvider.http("http://h/sync", token: "secret").description == "http://h/sync")
    #expect(!TransportProvider.http("http://u:secret@h/sync").description.contains("secret"))
  }

  @Test func closingEndsWhatIsUnderWay() async throws {
    try await TestServer.run { server in
      let client = try HTTPTransport(server.url)
      let opened = Gate()
      async let outcome: TransportError? = #expect(throws: TransportError.self) {
        try await client.live(LiveRequest(groups: [PullRequest(group: "todo")])) { event in
          if event == .opened { await opened.open() }
        }
      }
      await opened.wait()
      await client.close()
      #expect(await outcome?.code == .closed)
      let after = await #expect(throws: TransportError.self) {
        try await client.pull(PullRequest(group: "todo"))
      }
      #expect(after?.code == .closed)
      await client.close()
    }
  }

  @Test func cancellingEndsWhatIsUnderWay() async throws {
    try await TestServer.run { server in
      try await server.withClient { client in
        let opened = Gate()
        let task = Task {
          try await client.live(LiveRequest(groups: [PullRequest(group: "todo")])) { event in
            if event == .opened { await opened.open() }
          }
        }
        await opened.wait()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
      }
    }
  }
}

/// Opens once; those who wait before go on then.
actor Gate {
  private var isOpen = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  func open() {
    isOpen = true
    for continuation in waiting { continuation.resume() }
    waiting = []
  }

  func wait() async {
    if isOpen { return }
    await withCheckedContinuation { waiting.append($0) }
  }
}
