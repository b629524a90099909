import AsyncHTTPClient
import Atomsync
import AtomsyncCore
import AtomsyncHTTPClient
import AtomsyncHummingbird
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing
import Transit

@testable import AtomsyncHTTPServer

@Suite(.timeLimit(.minutes(1))) struct EndpointTests {
  @Test(arguments: [
    "application/transit+json", "application/transit+json; verbose=true", "application/transit+msgpack",
  ]) func everyEncodingBothWays(type: String) async throws {
    let codec: any Codec =
      switch type {
      case "application/transit+msgpack": .transitMsgPack
      case "application/transit+json": .transitJSON
      default: .transitVerboseJSON
      }
    try await TestServer.run { server in
      let push = PushRequest(
        group: "todo", edits: [try .text("todo:1", "milk"), try .text("todo:2", "bread")])
      let bytes = try codec.encode(push)
      let answer = try await server.raw.send(
        .POST, headers: ["Content-Type": type], body: .bytes(bytes))
      #expect(answer.headers.first(name: "Content-Type") == type)
      #expect(answer.verdicts?.accepted.map(\.version) == [1, 1])
      let pulled = try await server.raw.send(.GET, "?group=todo", headers: ["Accept": type])
      #expect(pulled.headers.first(name: "Content-Type") == type)
      #expect(pulled.page?.documents.map(\.id) == ["todo:1", "todo:2"])
      #expect(pulled.page?.documents.map(\.content) == push.edits.map(\.content))
      #expect(pulled.page?.user == nil)
    }
  }

  @Test func limitCursorAndSince() async throws {
    try await TestServer.run { server in
      for number in 1...5 { try await server.put("todo:\(number)") }
      let first = try #require(try await server.raw.send(.GET, "?group=todo&limit=2").page)
      #expect(first.documents.count == 2 && first.hasMore)
      let next = try #require(
        try await server.raw.send(.GET, "?group=todo&cursor=\(first.cursor.text)").page)
      #expect(next.documents.map(\.id) == ["todo:3", "todo:4", "todo:5"] && !next.hasMore)
      let since = try #require(try await server.raw.send(.GET, "?group=todo&since=0").page)
      #expect(since.documents.count == 5)
      let unknown = try #require(try await server.raw.send(.GET, "?group=todo&cursor=nonsense").page)
      #expect(unknown.isReset && unknown.documents.count == 5)
    }
  }

  @Test func groupsOfAnySpelling() async throws {
    try await TestServer.run { server in
      try await server.put("a", group: "caf\u{E9} & co/+%")
      let reply = try await server.raw.send(.GET, "?group=caf%C3%A9+%26%20co/%2B%25")
      #expect(reply.page?.documents.map(\.id) == ["a"])
    }
  }

  @Test func everyAnswerHasItsDate() async throws {
    #expect(HTTPDate.text(of: 0) == "Thu, 01 Jan 1970 00:00:00 GMT")
    #expect(HTTPDate.text(of: 784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT", "RFC 9110's example")
    try await TestServer.run { server in
      let reply = try await server.raw.send(.GET, "?group=todo")
      #expect(reply.headers.first(name: "Date")?.hasSuffix(" GMT") == true)
    }
  }

  @Test func healthAndReadiness() async throws {
    try await TestServer.run(users: .aliceAndBob()) { server in
      func status(_ path: String) async throws -> Int {
        try await RawClient(url: "http://127.0.0.1:\(server.port)\(path)").send().status
      }
      let healthy = [try await status("/health"), try await status("/ready")]
      #expect(healthy == [200, 200])
      await server.authority.close()
      let closed = [try await status("/health"), try await status("/ready")]
      #expect(closed == [200, 503])
    }
  }

  @Test func aCursorNamesItsGroup() async throws {
    try await TestServer.run { server in
      for group in ["todo", "caf\u{E9} & co/+%.x", "."] {
        let page = try await server.authority.pull(PullRequest(group: group))
        #expect(Authority.group(of: page.cursor) == group)
      }
      for text in ["", "1", "1.2.3.4", "1.2.3.4.", "2.a.0.0.todo", "nonsense", "1.a.0.0.%zz"] {
        #expect(Authority.group(of: Cursor(text)) == nil)
      }
    }
  }

  @Test func theRequestsIdComesBackAndIsLogged() async throws {
    try await TestServer.run(users: .aliceAndBob()) { server in
      let reply = try await server.raw.send(
        .GET, "?group=todo", headers: ["X-Request-ID": "phone-7", "Authorization": "Bearer abc123"])
      #expect(reply.headers.first(name: "X-Request-ID") == "phone-7")
      let line = try #require(await server.log.first { $0.contains("phone-7") })
      #expect(line.contains("GET /sync 200") && line.contains("group=todo") && line.contains("user=alice"))
      #expect(!line.contains("abc123"))
      let odd = try await server.raw.send(
        .GET, "?group=todo", headers: ["X-Request-ID": String(repeating: "x", count: 200)])
      #expect((odd.headers.first(name: "X-Request-ID") ?? "").count < 20)
    }
  }

  @Test func theProtocolsVersionMayBeOneOfSeveral() async throws {
    try await TestServer.run { server in
      for versions in ["1", "2, 1", "1,2"] {
        let reply = try await server.raw.send(.GET, "?group=todo", headers: ["Atomsync-Protocol": versions])
        #expect(reply.status == 200)
      }
    }
  }

  @Test func routesInAnApplicationsOwnRouter() async throws {
    try await TestServer.run { server in
      let router = Router()
      router.get("hello") { _, _ in "hello" }
      server.server.endpoint.addRoutes(to: router, path: "data/sync")
      let (ports, found) = AsyncStream.makeStream(of: Int.self)
      let application = Application(
        router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { found.yield($0.localAddress?.port ?? 0) },
        logger: Logger(label: "quiet") { _ in SwiftLogNoOpLogHandler() })
      let serving = Task { try await application.run() }
      let port = try #require(await ports.first { _ in true })
      let raw = RawClient(url: "http://127.0.0.1:\(port)/data/sync")
      #expect(try await raw.send(.GET, "?group=todo").page?.documents.isEmpty == true)
      #expect(try await raw.send(.PUT).error?.code == .methodNotAllowed)
      #expect(try await raw.send(.HEAD).status == 405)
      let client = try HTTPTransport(raw.url, token: nil, codec: TransitCodec.transitJSON)
      try await following(client, ["todo"]) { events in
        #expect(await events.next() == .opened)
        #expect(await events.nextPage()?.documents.isEmpty == true)
        try await server.put("a")
        #expect(await events.nextPage()?.documents.map(\.id) == ["a"])
      }
      await client.close()
      // Its reader has left.
      _ = await server.log.first { $0.contains("stream ended") || $0.contains("broke off") }
      serving.cancel()
      _ = await serving.result
    }
  }

  /// A server that ends when its task is cancelled.
  private func serve() async throws -> (Authority, port: Int, Task<Void, any Error>) {
    let authority = try await Authority.open(AtomsyncConfiguration())
    var configuration = HTTPServerConfiguration()
    configuration.port = 0
    configuration.logger = Logger(label: "quiet") { _ in SwiftLogNoOpLogHandler() }
    let server = try SyncServer(authority, configuration: configuration)
    let serving = Task { try await server.run() }
    return (authority, try await server.boundPort(), serving)
  }

  /// Whatever connections are made at that moment.
  @Test func aServerThatIsCancelledEnds() async throws {
    for _ in 0..<10 {
      let (authority, port, serving) = try await serve()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<64 {
          group.addTask {
            _ = try? await RawConnection.answers(
              to: "GET /sync?group=a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", port: port)
          }
        }
        try await group.next()
        serving.cancel()
      }
      _ = await serving.result
      await authority.close()
    }
  }

  /// A request that goes on is broken off ten seconds after the shutdown began, and that is no error.
  @Test func aShutdownDoesNotWaitForASlowBody() async throws {
    let (authority, port, serving) = try await serve()
    let isTaken = Promise<Void>()
    async let answer = RawConnection.answers(
      to: "POST /sync HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/transit+json\r\n"
        + "Expect: 100-continue\r\nContent-Length: 100\r\n\r\n[", port: port, began: isTaken)
    try await isTaken.wait()
    serving.cancel()
    try await serving.value
    _ = try? await answer
    await authority.close()
  }

  @Test func refusesToServeTheNetworkWithoutUsers() throws {
    var configuration = HTTPServerConfiguration()
    for (host, isFine) in [
      ("127.0.0.1", true), ("127.1.2.3", true), ("localhost", true), ("::1", true), ("0.0.0.0", false),
      ("127.0.0.1.example.com", false), ("10.0.0.1", false), ("example.com", false), ("::", false),
      ("", false),
    ] {
      configuration.host = host
      if isFine {
        try configuration.validate()
      } else {
        #expect(throws: HTTPServerError.self, "\(host)") { try configuration.validate() }
      }
    }
    configuration.allowsAnonymousAccess = true
    try configuration.validate()
    configuration.allowsAnonymousAccess = false
    configuration.users = try .aliceAndBob()
    try configuration.validate()
    configuration.port = 70_000
    #expect(throws: HTTPServerError.self) { try configuration.validate() }
    configuration.port = 0
    configuration.path = "sync"
    #expect(throws: HTTPServerError.self) { try configuration.validate() }
  }

  /// A server that starts looks at its address first. Nobody can connect to what will be gone in a moment.
  @Test func aLookAtTheAddressIsNotToBeSeen() async throws {
    var configuration = HTTPServerConfiguration()
    repeat {
      // Not a port that the system may give to the client itself.
      configuration.port = .random(in: 20_000..<30_000)
    } while (try? await SyncServer.checkAddress(configuration)) == nil
    let isDone = Lock(false)
    let looks = Task { [configuration] in
      while !isDone.withLock({ $0 }) { try await SyncServer.checkAddress(configuration) }
    }
    for _ in 0..<100 {
      let client = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      let channel = try? await client.connect(host: "127.0.0.1", port: configuration.port).get()
      #expect(channel == nil)
      try? await channel?.close()
    }
    isDone.withLock { $0 = true }
    try await looks.value
  }

  @Test func aPortInUseIsNamed() async throws {
    try await TestServer.run { server in
      var configuration = HTTPServerConfiguration()
      configuration.port = server.port
      let looking = await #expect(throws: HTTPServerError.self) {
        try await SyncServer.checkAddress(configuration)
      }
      #expect(looking?.code == .portInUse && looking?.message.contains("\(server.port)") == true)
      let second = try SyncServer(server.authority, configuration: configuration)
      let running = await #expect(throws: HTTPServerError.self) { try await second.run() }
      #expect(running?.code == .portInUse)
      await #expect(throws: HTTPServerError.self) { try await second.boundPort() }
    }
  }
}
