import Atomsync
import AtomsyncCore
import AtomsyncTesting
import Foundation
import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import NIOPosix
import Testing

@testable import AtomsyncHTTPServer

private func length(_ text: String) -> String { "Content-Length: \(text.utf8.count)\r\n\r\n\(text)" }

private func request(_ method: String, _ name: String, _ rest: String) -> String {
  "\(method) /sync?group=g HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: \(name)\r\n"
    + "Content-Type: application/transit+json\r\n\(rest)"
}

private func names(_ answers: String) -> [String] {
  answers.components(separatedBy: "X-Request-ID: ").dropFirst().map { String($0.prefix { $0 != "\r\n" }) }
}

/// Stands where the guard of an HTTP/1.1 connection does.
private final class AnswerCounter: ChannelOutboundHandler {
  typealias OutboundIn = HTTPResponsePart

  private(set) var dropped: Int?
  private(set) var answers = 0
  private(set) var isClosed = false

  func triggerUserOutboundEvent(
    context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
  ) {
    if let event = event as? RequestGuard.InputDropped { dropped = event.requests }
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    if case .head = unwrapOutboundIn(data) { answers += 1 }
    promise?.succeed()
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    isClosed = true
    context.close(mode: mode, promise: promise)
  }
}

/// How the requests of a connection follow each other, and when it ends.
@Suite(.timeLimit(.minutes(1))) struct ConnectionTests {
  @Test func answersComeInTheOrderOfTheRequests() async throws {
    let body = #"["^ ","~:group","g","~:docs",[["^ ","~:id","d","~:value",1]]]"#
    let chunked =
      "Transfer-Encoding: chunked\r\n\r\n\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n0\r\n\r\n"
    var text = ""
    var sent: [String] = []
    for round in 0..<60 {
      let kinds = [
        ("GET", "\r\n"), ("POST", length(body)), ("HEAD", "\r\n"), ("POST", chunked),
        ("GET", length("ignored")),
        ("PUT", length(body)),
      ]
      for (index, (method, rest)) in kinds.enumerated() {
        sent.append("\(round).\(index)")
        text += request(method, "\(round).\(index)", rest)
      }
    }
    text += request("GET", "last", "Connection: close\r\n\r\n")
    // What follows the last request is not looked at.
    text += request("GET", "late", "\r\n")
    let (requests, expected) = (text, sent + ["last"])
    try await TestServer.run { server in
      let answers = try await RawConnection.answers(to: requests, port: server.port)
      #expect(names(answers).elementsEqual(expected), "\(names(answers).count) of \(expected.count)")
    }
  }

  /// What is broken is told apart from what came before it.
  @Test func whatCannotBeParsedEndsTheConnection() async throws {
    try await TestServer.run { server in
      let good = request("GET", "good", "\r\n")
      let broken = try await RawConnection.answers(to: good + good + "NO HTTP\r\n\r\n", port: server.port)
      #expect(names(broken) == ["good", "good"])
      let alone = try await RawConnection.answers(to: "NO HTTP\r\n\r\n", port: server.port)
      #expect(alone.hasPrefix("HTTP/1.1 400 "))
      let body = request("POST", "body", "Transfer-Encoding: chunked\r\n\r\nzz\r\n")
      let cut = try await RawConnection.answers(to: good + body, port: server.port)
      #expect(names(cut) == ["good", "body"] && cut.contains("HTTP/1.1 503 "))
    }
  }

  /// It would wait for as long as the stream is open.
  @Test func whatFollowsALiveStreamIsDropped() async throws {
    try await TestServer.run(users: .aliceAndBob()) { server in
      let live =
        "GET /sync?group=todo HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer abc123\r\n"
        + "Accept: text/event-stream\r\n\r\n"
      let others = String(repeating: request("GET", "other", "\r\n"), count: 1000)
      let began = Promise<Void>()
      async let answers = RawConnection.answers(to: live + others, port: server.port, began: began)
      try await began.wait()
      server.server.endpoint.replaceUsers(try Users([]))
      let all = try await answers
      #expect(all.components(separatedBy: "HTTP/1.1 ").count == 2, "one answer")
      #expect(all.contains("event: revoked") && all.hasSuffix("0\r\n\r\n"))
    }
  }

  /// It is read, and dropped, and watched like every other.
  @Test func theBodyOfALiveRequestIsNotKept() async throws {
    var configuration = HTTPServerConfiguration()
    configuration.serverLimits.bodyWindow = .seconds(1)
    try await TestServer.run(configuration: configuration) { server in
      let live =
        "GET /sync?group=todo HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
        + "Content-Length: 100000000\r\n\r\n"
      let answer = try await RawConnection.answers(
        to: live, later: String(repeating: "x", count: 8 << 20), port: server.port)
      #expect(answer.contains("HTTP/1.1 200 "))
    }
  }

  /// So many are answered, and the connection ends.
  @Test func onlySoMuchMayFollowARequest() async throws {
    let channel = EmbeddedChannel()
    let pipeline = channel.pipeline.syncOperations
    let handler = RequestHandler(
      LoopExecutor(channel.eventLoop), idleTimeout: .seconds(75), isQuiescing: false
    ) { _ in EndpointResponse(.ok) }
    let counter = AnswerCounter()
    try pipeline.addHandlers([counter, handler])
    for _ in 0..<10_000 {
      let head = HTTPRequest(method: .get, scheme: "http", authority: "localhost", path: "/sync")
      channel.pipeline.fireChannelRead(HTTPRequestPart.head(head))
      channel.pipeline.fireChannelRead(HTTPRequestPart.end(nil))
    }
    #expect(counter.dropped == 0)
    channel.pipeline.fireChannelReadComplete()
    while !counter.isClosed { channel.embeddedEventLoop.run() }
    #expect(counter.answers == 1 + 1024 / 2)
  }

  /// What was taken before is answered.
  @Test func aShutdownWaitsForWhatIsPipelined() async throws {
    let storage = FaultyStorage(MemoryStorage())
    try await TestServer.run(storage: StorageProvider("gated") { _ in storage }) { server in
      storage.readGate.shut()
      let idle = try await LazyReader.connect(server, "GET /health HTTP/1.1")
      async let answers = RawConnection.answers(
        to: request("GET", "1", "\r\n") + request("GET", "2", "\r\n"), port: server.port)
      await storage.readGate.holds(1)
      await server.shutDown()
      _ = try await idle.drain()  // it is told of the shutdown when the other is
      storage.readGate.open()
      let all = try await answers
      #expect(names(all) == ["1", "2"])
    }
  }

  /// One that is too many waits until another ends.
  @Test func onlySoManyConnections() async throws {
    var configuration = HTTPServerConfiguration()
    configuration.idleTimeout = .seconds(3)
    configuration.serverLimits.connections = 1
    try await TestServer.run(configuration: configuration) { server in
      let first = try await LazyReader.connect(server, "GET /health HTTP/1.1")
      let began = ContinuousClock.now
      let answers = try await RawConnection.answers(
        to: request("GET", "second", "Connection: close\r\n\r\n"), port: server.port)
      // The first was closed for its idleness.
      #expect(names(answers) == ["second"] && ContinuousClock.now - began > .seconds(1))
      try? await first.close()
    }
  }

  /// And it makes room for others.
  @Test func anAnswerThatNobodyReadsIsCutOff() async throws {
    var configuration = HTTPServerConfiguration()
    configuration.idleTimeout = .seconds(3)
    configuration.serverLimits.connections = 1
    try await TestServer.run(configuration: configuration) { server in
      let text = String(repeating: "x", count: 512 << 10)
      for number in 0..<32 {
        let edit = try Edit.text("\(number)", text)
        _ = try await server.authority.push(PushRequest(group: "g", edits: [edit]))
      }
      let lazy = try await LazyReader.connect(
        server, "GET /sync?group=g HTTP/1.1", accept: "application/transit+json")
      let answers = try await RawConnection.answers(
        to: request("GET", "next", "Connection: close\r\n\r\n"), port: server.port)
      #expect(names(answers) == ["next"])
      #expect(try await lazy.drain() < 32 * text.utf8.count)
    }
  }

  /// The end of what a client sends is not the end of what it reads.
  @Test func whoHasSentAllIsStillAnswered() async throws {
    let requests = request("GET", "1", "\r\n") + request("GET", "2", "\r\n")
    try await TestServer.run { server in
      let answers = try await RawConnection.answers(to: requests, port: server.port, endsOutput: true)
      #expect(names(answers) == ["1", "2"])
    }
  }

  /// Others on the event loop go on meanwhile.
  @Test func longWorkLeavesTheEventLoop() async throws {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let places = try await Task(executorPreference: LoopExecutor(loop)) {
      let before = loop.inEventLoop
      let long = try await OffLoop.run { loop.inEventLoop }
      await LoopExecutor.rejoin(loop)
      return [before, long, loop.inEventLoop]
    }.value
    #expect(places == [true, false, true])
  }
}
