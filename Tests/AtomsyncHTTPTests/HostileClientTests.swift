import AsyncHTTPClient
import Atomsync
import AtomsyncCore
import Foundation
import NIOCore
import NIOHTTP1
import Testing
import Transit

@testable import AtomsyncHTTPServer

private func document(_ value: String, _ id: String = "d") -> String {
  #"["^ ","~:group","g","~:docs",[["^ ","~:id","\#(id)","~:value",\#(value)]]]"#
}

private func get(_ fields: String) -> String { "GET /sync?group=g HTTP/1.1\r\n\(fields)\r\n" }

private func statuses(_ answers: String) -> [String] {
  answers.components(separatedBy: "HTTP/1.1 ").dropFirst().map { String($0.prefix(3)) }
}

/// What clients send that are broken, or mean harm. The attacks that take longer are in Tests/Attacks.
@Suite(.timeLimit(.minutes(1))) struct HostileClientTests {
  // MARK: Web pages

  @Test(arguments: ["evil.example", "localhost.evil", "127.0.0.1.evil", "[::2]", "127.0.0.1:80:80", "127.1"])
  func anOpenServerAnswersToNamesOfThisMachineOnly(_ host: String) async throws {
    try await TestServer.run { (server: TestServer) async throws -> Void in
      let reply = try await server.raw.send(.GET, "?group=g", headers: ["Host": host])
      #expect(reply.status == 403 && reply.error?.code == .forbidden)
      #expect(try await server.raw.send(.GET, "?group=g", headers: ["Host": "LOCALHOST:1"]).status == 200)
    }
    try await TestServer.run(users: .aliceAndBob()) { (server: TestServer) async throws -> Void in
      // With users it is the token that counts; a proxy may have any name.
      let reply = try await server.raw.send(
        .GET, "?group=todo", headers: ["Host": host, "Authorization": "Bearer abc123"])
      #expect(reply.status == 200)
    }
  }

  @Test func aWebPageCannotUseAnOpenServer() async throws {
    try await TestServer.run { (server: TestServer) async throws -> Void in
      #expect(try await server.raw.post(document("1"), type: nil).status == 415)
      #expect(try await server.raw.post(document("1"), type: "text/plain").status == 415)
      for headers in [
        ["Origin": "https://evil.example"], ["Origin": "null"], ["Sec-Fetch-Site": "cross-site"],
      ] {
        #expect(try await server.raw.post(document("1"), headers: headers).status == 403)
      }
      #expect(try await server.authority.pull(PullRequest(group: "g")).documents.isEmpty)
      let own = ["Origin": "http://127.0.0.1:\(server.port)"]
      #expect(try await server.raw.post(document("1"), headers: own).status == 200)
    }
  }

  @Test func anOriginThatIsAllowedMayUseIt() async throws {
    var configuration = HTTPServerConfiguration()
    configuration.corsOrigins = ["https://app.example"]
    try await TestServer.run(configuration: configuration) { (server: TestServer) async throws -> Void in
      let page = ["Origin": "https://app.example"]
      let asked = try await server.raw.send(
        .OPTIONS, headers: page.merging(["Access-Control-Request-Method": "POST"]) { $1 })
      #expect(
        asked.status == 204 && asked.headers.first(name: "Access-Control-Allow-Origin") == page["Origin"])
      let reply = try await server.raw.post(document("1"), headers: page)
      #expect(
        reply.status == 200 && reply.headers.first(name: "Access-Control-Allow-Origin") == page["Origin"])
      let other = try await server.raw.post(document("1"), headers: ["Origin": "https://evil.example"])
      #expect(other.status == 403 && other.headers.first(name: "Access-Control-Allow-Origin") == nil)
    }
  }

  // MARK: HTTP

  @Test func exactlyOneHostIsNeeded() async throws {
    try await TestServer.run { (server: TestServer) async throws -> Void in
      for fields in ["", "Host: \r\n", "Host: localhost\r\nHost: evil\r\n"] {
        let answers = try await RawConnection.answers(to: get(fields), port: server.port)
        #expect(statuses(answers) == ["400"])
      }
    }
  }

  @Test func anOfferToUpgradeIsIgnored() async throws {
    let offer = "Host: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    let body = document("1")
    let post =
      "POST /sync HTTP/1.1\r\n\(offer)Content-Type: application/transit+json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    let last = get("Host: localhost\r\nConnection: close\r\n")
    try await TestServer.run { (server: TestServer) async throws -> Void in
      // All at once, so that what follows is in the decoder already when the offer is met.
      let answers = try await RawConnection.answers(
        to: post + get(offer) + get(offer) + last, port: server.port)
      #expect(statuses(answers) == ["200", "200", "200", "200"])
    }
  }

  /// Whatever the parser makes of it: an offer of nothing is none for it, and one after a tab neither.
  @Test(arguments: [
    ("upgrade", ""), ("upgrade\t", "h2c"), ("\tUpgrade", "h2c"), ("upgrade ,x", "h2c"), ("x", "h2c"),
  ])
  func anOfferMayBeWrittenInAnyWay(connection: String, upgrade: String) async throws {
    let offer = get("Host: localhost\r\nConnection:\(connection)\r\nUpgrade:\(upgrade)\r\n")
    let last = get("Host: localhost\r\nConnection: close\r\n")
    try await TestServer.run { (server: TestServer) async throws -> Void in
      let answers = try await RawConnection.answers(to: offer + offer + last, port: server.port)
      #expect(statuses(answers) == ["200", "200", "200"])
    }
  }

  /// As Java's client does, which sends the body by itself.
  @Test func aBodyMayComeAfterAnOfferToUpgrade() async throws {
    let body = document("1")
    let head =
      "POST /sync HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
      + "Content-Type: application/transit+json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
    try await TestServer.run { (server: TestServer) async throws -> Void in
      let lazy = try await LazyReader.connect(server, "GET /health HTTP/1.1")
      try await lazy.channel.writeAndFlush(ByteBuffer(string: head))
      // Once this is answered, the head has been read by itself.
      for _ in 0..<20 { _ = try await server.raw.send(.GET, "?group=g") }
      try await lazy.channel.writeAndFlush(ByteBuffer(string: body))
      while try await server.raw.send(.GET, "?group=g").page?.documents.isEmpty == true {}
      try await lazy.close()
    }
  }

  @Test func anExpectationIsMetBeforeTheBody() async throws {
    let body = document("1")
    try await TestServer.run { (server: TestServer) async throws -> Void in
      let answers = try await RawConnection.answers(
        to:
          "POST /sync HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Type: application/transit+json\r\nConnection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)",
        port: server.port)
      #expect(statuses(answers) == ["100", "200"])
    }
  }

  @Test func headsAreBounded() async throws {
    try await TestServer.run { (server: TestServer) async throws -> Void in
      let long = String(repeating: "x", count: 20_000)
      let header = try await RawConnection.answers(
        to: get("Host: localhost\r\nX-Long: \(long)\r\n"), port: server.port)
      #expect(statuses(header) == ["431"])
      // The end of the head never comes.
      let url = try await RawConnection.answers(
        to: "GET /sync?group=" + String(repeating: "x", count: 8 << 20), port: server.port)
      #expect(statuses(url) == ["400"])
    }
  }

  /// A live stream of many groups names each of them with its cursor.
  @Test func aURLMayBeLong() async throws {
    try await TestServer.run { (server: TestServer) async throws -> Void in
      let cursor = try await server.authority.pull(PullRequest(group: "g")).cursor.text
      let groups = (0..<1000).map { "cursor=\(cursor)\($0)" }.joined(separator: "&")
      #expect(groups.utf8.count > 50_000)
      var request = HTTPClientRequest(url: server.url + "?" + groups)
      request.headers.add(name: "Accept", value: "text/event-stream")
      let response = try await RawClient.client.execute(request, timeout: .seconds(10))
      #expect(response.status == .ok)
    }
  }

  @Test func aBodyThatDoesNotProgressIsCutOff() async throws {
    var configuration = HTTPServerConfiguration()
    configuration.serverLimits.bodyWindow = .milliseconds(50)
    try await TestServer.run(configuration: configuration) { (server: TestServer) async throws -> Void in
      // Without the window the connection would stay for the idle timeout, which is longer than the test may take.
      let answers = try await RawConnection.answers(
        to:
          "POST /sync HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/transit+json\r\nContent-Length: 100\r\n\r\n[",
        port: server.port)
      #expect(statuses(answers).allSatisfy { $0 == "503" })
    }
  }

  // MARK: Users

  @Test func whoGuessesTokensIsSlowedDown() async throws {
    var configuration = HTTPServerConfiguration()
    configuration.users = try .aliceAndBob()
    configuration.serverLimits.wrongTokens = 3
    try await TestServer.run(configuration: configuration) { (server: TestServer) async throws -> Void in
      func status(_ token: String) async throws -> Int {
        try await server.raw.send(.GET, "?group=todo", headers: ["Authorization": "Bearer \(token)"]).status
      }
      #expect(try await status("abc123") == 200)
      #expect(try await status("guess") == 401)
      // One a second is let through again, so on a slow machine it takes a few more.
      var answer = 401
      while answer == 401 { answer = try await status("guess") }
      #expect(answer == 429)
      // Who was in stays in, though others guess from the same address.
      #expect(try await status("abc123") == 200)
    }
  }

  @Test func rightsAreAskedForAgainAfterTheBody() async throws {
    var configuration = HTTPServerConfiguration()
    configuration.users = try .aliceAndBob()
    configuration.serverLimits.bodyBytesInFlight = 40_000
    try await TestServer.run(configuration: configuration) { (server: TestServer) async throws -> Void in
      let fields = ["Authorization": "Bearer abc123", "Content-Type": "application/transit+json"]
      func large(_ id: String) -> String {
        document("\"" + String(repeating: "x", count: 50_000) + "\"", id).replacing("\"g\"", with: "\"todo\"")
      }
      let (chunks, body) = AsyncStream.makeStream(of: ByteBuffer.self)
      async let reply = server.raw.send(.POST, headers: fields, body: .stream(chunks, length: .unknown))
      body.yield(ByteBuffer(string: String(large("late").prefix(40_000))))
      // Once it was let in and is being read, it takes so much of the memory that another one is refused.
      var status = 200
      while status == 200 { status = try await server.raw.post(large("other"), headers: fields).status }
      #expect(status == 503)
      server.server.endpoint.replaceUsers(try Users([User("bob", token: "b", groups: ["todo"])]))
      body.yield(ByteBuffer(string: String(large("late").dropFirst(40_000))))
      body.finish()
      #expect(try await reply.status == 401)
      let documents = try await server.authority.pull(PullRequest(group: "todo")).documents
      #expect(!documents.contains { $0.id == "late" })
    }
  }

  @Test func liveStreamsAreCounted() async throws {
    var configuration = HTTPServerConfiguration()
    configuration.serverLimits.streamsPerUser = 2
    try await TestServer.run(configuration: configuration) { (server: TestServer) async throws -> Void in
      func open() async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: server.url + "?group=g")
        request.headers.add(name: "Accept", value: "text/event-stream")
        return try await RawClient.client.execute(request, timeout: .seconds(10))
      }
      var streams = [try await open(), try await open()]
      #expect(streams.map(\.status.code) == [200, 200])
      #expect(try await open().status.code == 503)
      streams = []
      // A place is had again once its stream has gone, which nobody is told of.
      var status: UInt = 503
      while status == 503 { status = try await open().status.code }
      #expect(status == 200)
    }
  }

  @Test func largeBodiesShareAMemory() async throws {
    var configuration = HTTPServerConfiguration()
    configuration.serverLimits.bodyBytesInFlight = 100_000
    try await TestServer.run(configuration: configuration) { (server: TestServer) async throws -> Void in
      let large = document("\"" + String(repeating: "x", count: 150_000) + "\"")
      #expect(try await server.raw.post(large).status == 503)
      #expect(try await server.raw.post(document("1")).status == 200)
      let fits = document("\"" + String(repeating: "x", count: 100_000) + "\"", "e")
      for _ in 0..<3 { #expect(try await server.raw.post(fits).status == 200) }
    }
  }

  // MARK: Values

  /// What was taken is told, however deep: a UUID stands two levels deeper in MessagePack than in JSON.
  @Test func aValueAsDeepAsCanBeIsReadAgain() async throws {
    try await TestServer.run { (server: TestServer) async throws -> Void in
      var taken = 0
      for (kind, leaf) in [#""~u531a379e-31bb-4ce1-8690-158dceb64be6""#, #""~m0""#, "1"].enumerated() {
        for levels in 500...512 {
          let value = String(repeating: "[", count: levels) + leaf + String(repeating: "]", count: levels)
          if try await server.raw.post(document(value, "\(kind)-\(levels)")).status == 200 { taken += 1 }
        }
      }
      #expect(taken > 0 && taken < 39)
      for accept in ["application/transit+json", "application/transit+msgpack"] {
        let reply = try await server.raw.send(.GET, "?group=g", headers: ["Accept": accept])
        #expect(reply.status == 200 && reply.page?.documents.count == taken)
      }
    }
  }

  @Test func codesThatStandForMuchAreNotWrittenOut() async throws {
    try await TestServer.run { (server: TestServer) async throws -> Void in
      let key = "~:" + String(repeating: "k", count: 20_000)
      // ^0 to ^3 are the keys of the message, ^4 is this one.
      let codes = String(repeating: #","^4""#, count: 5000)
      #expect(try await server.raw.post(document("[\"\(key)\"\(codes)]")).status == 200)
      let verbose = ["Accept": "application/transit+json; verbose=true"]
      let reply = try await server.raw.send(.GET, "?group=g", headers: verbose)
      #expect(reply.status == 413 && reply.error?.code == .tooLarge)
      #expect(try await server.raw.send(.GET, "?group=g").status == 200)

      // Each document would have its own copy of the key: 36 MB of them, in as many documents as a push may have.
      let long = "~:" + String(repeating: "k", count: 40_000)
      let more = (0..<900).map { #"["^ ","~:id","\#($0)","~:value",["^4"]]"# }.joined(separator: ",")
      let push = #"["^ ","~:group","g","~:docs",[["^ ","~:id","x","~:value",["\#(long)"]],\#(more)]]"#
      let refused = try await server.raw.post(push)
      #expect(refused.status == 413 && refused.error?.code == .tooLarge)
    }
  }
}
