import AtomsyncCore
import Testing

@testable import AtomsyncHTTPClient

/// Peers that cut, babble or fall silent: each is a typed error, in time.
@Suite(.timeLimit(.minutes(1))) struct BrokenAnswerTests {
  private static let head = "HTTP/1.1 200 OK\r\nAtomsync-Protocol: 1\r\n"
  private static let transit = head + "Content-Type: application/transit+json\r\n"

  private static let answers: [(reply: String, closes: Bool, code: TransportError.Code)] = [
    ("", true, .unreachable),
    ("", false, .timedOut),
    ("HTTP/1.1 20", true, .unreachable),
    ("HTTP/1.1 20", false, .timedOut),
    ("SSH-2.0-OpenSSH_9.2\r\n\r\n", true, .malformedAnswer),
    (transit + "Content-Length: 100\r\n\r\n[\"^ \"", true, .unreachable),
    (transit + "Content-Length: 100\r\n\r\n[\"^ \"", false, .timedOut),
    (transit + "Transfer-Encoding: chunked\r\n\r\n5\r\n[\"^ \"\r\n", true, .unreachable),
    (transit + "Transfer-Encoding: chunked\r\n\r\n5\r\n[\"^ \"\r\n", false, .timedOut),
    (transit + "Content-Length: 5\r\n\r\nhello", false, .malformedAnswer),
    (transit + "Content-Length: 0\r\n\r\n", false, .malformedAnswer),
    (transit + "Content-Length: 2\r\n\r\n[]", false, .malformedAnswer),
    ("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello", false, .unavailable),
    ("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 5\r\n\r\nhello", false, .unavailable),
    ("HTTP/1.1 401 Unauthorized\r\nContent-Length: 5\r\n\r\nhello", false, .unavailable),
    ("HTTP/1.1 403 Forbidden\r\nAtomsync-Protocol: 1\r\nContent-Length: 5\r\n\r\nhello", false, .unavailable),
    ("HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n", false, .unavailable),
    ("HTTP/1.1 200 OK\r\nAtomsync-Protocol: 2\r\nContent-Length: 0\r\n\r\n", false, .unsupported),
    ("HTTP/1.1 204 No Content\r\n\r\n", false, .unavailable),
  ]

  @Test(arguments: answers.indices) func toAPull(index: Int) async throws {
    let (reply, closes, code) = Self.answers[index]
    try await ScriptedServer.run(reply, closes: closes) { server in
      try await expect(code, server) { _ = try await $0.pull(PullRequest(group: "todo")) }
      try await expect(code, server) { _ = try await $0.push(PushRequest(group: "todo", edits: [])) }
    }
  }

  private static let stream = head + "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

  private static let streams: [(reply: String, closes: Bool, code: TransportError.Code?)] = [
    ("", false, .timedOut),
    (transit + "Content-Length: 0\r\n\r\n", false, .unsupported),
    (stream + "0\r\n\r\n", false, nil),
    (stream + "3\r\n:\n\n\r\n", true, .unreachable),
    (stream + "3\r\n:\n\n\r\n", false, .timedOut),
    (stream + chunk("event: page\ndata: nonsense\n\n"), false, .malformedAnswer),
    (stream + chunk("event: revoked\ndata: []\n\n"), false, .malformedAnswer),
    (stream + chunk("event: news\ndata: nonsense\n\n") + "0\r\n\r\n", false, nil),
    (stream + chunk("data: " + String(repeating: "x", count: 5000)), false, .malformedAnswer),
  ]

  @Test(arguments: streams.indices) func toALiveRequest(index: Int) async throws {
    let (reply, closes, code) = Self.streams[index]
    try await ScriptedServer.run(reply, closes: closes) { server in
      let live = LiveRequest(groups: [PullRequest(group: "todo")])
      if let code {
        try await expect(code, server) { try await $0.live(live) { _ in } }
      } else {
        try await withClient(server) { try await $0.live(live) { _ in } }
      }
    }
  }

  /// A proxy with a limit of its own, as against the server's 413, which is final.
  @Test func aForeign413IsNoVerdict() async throws {
    let foreign =
      "HTTP/1.1 413 Request Entity Too Large\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nno"
    try await ScriptedServer.run(foreign, closes: false) { server in
      try await expect(.oversized, server) {
        _ = try await $0.push(PushRequest(group: "todo", edits: []))
      }
    }
  }

  @Test func nobodyThere() async throws {
    let url = try await ScriptedServer.run("") { $0.url }
    var options = Self.options(until: nil)
    options.connectTimeout = .seconds(50)  // for so long it would be tried again
    let client = try HTTPTransport(url, options: options)
    let began = ContinuousClock.now
    let error = await #expect(throws: TransportError.self) {
      try await client.pull(PullRequest(group: "todo"))
    }
    #expect(error?.code == .unreachable)
    #expect(ContinuousClock.now - began < .seconds(40))
    await client.close()
  }

  @Test func anAnswerIsBounded() async throws {
    let reply = Self.transit + "Content-Length: 5000\r\n\r\n" + String(repeating: "x", count: 5000)
    try await ScriptedServer.run(reply, closes: false) { server in
      let error = try await expect(.malformedAnswer, server) {
        _ = try await $0.pull(PullRequest(group: "todo"))
      }
      #expect(error?.message.contains("4000") == true)
    }
  }

  @Test func retryAfterIsHeard() async throws {
    let reply = "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"
    try await ScriptedServer.run(reply, closes: false) { server in
      let error = try await expect(.unavailable, server) { _ = try await $0.pull(PullRequest(group: "todo")) }
      #expect(error?.retryAfter == .seconds(7))
    }
  }

  @Test func theReceiversOwnErrorComesThrough() async throws {
    struct Mine: Error {}
    try await ScriptedServer.run(Self.stream, closes: false) { server in
      try await withClient(server) { client in
        await #expect(throws: Mine.self) {
          try await client.live(LiveRequest(groups: [PullRequest(group: "todo")])) { _ in throw Mine() }
        }
      }
    }
  }

  // MARK: Parts

  /// Short deadlines only where they are to pass: a busy machine must not make them pass elsewhere.
  private static func options(until code: TransportError.Code?) -> HTTPTransportOptions {
    var options = HTTPTransportOptions()
    if code == .timedOut {
      options.silenceTimeout = .milliseconds(400)
      options.heartbeat = .milliseconds(150)
    }
    options.maximumAnswerBytes = 4000
    return options
  }

  @discardableResult
  private func expect(
    _ code: TransportError.Code, _ server: ScriptedServer,
    _ body: @Sendable (HTTPTransport) async throws -> Void
  ) async throws -> TransportError? {
    try await withClient(server, until: code) { client in
      let began = ContinuousClock.now
      let error = await #expect(throws: TransportError.self) { try await body(client) }
      #expect(error?.code == code, "\(error?.description ?? "nothing")")
      #expect(ContinuousClock.now - began < .seconds(10))
      return error
    }
  }

  private func withClient<Result: Sendable>(
    _ server: ScriptedServer, until code: TransportError.Code? = nil,
    _ body: @Sendable (HTTPTransport) async throws -> Result
  ) async throws -> Result {
    let client = try HTTPTransport(server.url, options: Self.options(until: code))
    do {
      let result = try await body(client)
      await client.close()
      return result
    } catch {
      await client.close()
      throw error
    }
  }

  private static func chunk(_ text: String) -> String {
    "\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n"
  }
}
