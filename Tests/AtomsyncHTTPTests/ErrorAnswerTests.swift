import AsyncHTTPClient
import Atomsync
import AtomsyncCore
import Foundation
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import Testing

@testable import AtomsyncHTTPServer

/// Every row of the protocol's table of errors, as raw requests see it.
@Suite(.timeLimit(.minutes(1))) struct ErrorAnswerTests {
  private struct Row: Sendable {
    var method = HTTPMethod.GET
    var query = "?group=todo"
    var headers: [String: String] = [:]
    var body: String?
    let status: Int
    let code: ProtocolError.Code
  }

  private static let empty = #"["^ ","~:group","todo","~:docs",[]]"#
  private static let json = ["Content-Type": "application/transit+json"]

  private static let open: [Row] = [
    Row(query: "", status: 400, code: .invalidParameter),
    Row(query: "?group=", status: 400, code: .invalidGroup),
    Row(query: "?group=a%01", status: 400, code: .invalidGroup),
    Row(query: "?group=" + String(repeating: "g", count: 129), status: 400, code: .invalidGroup),
    Row(query: "?group=a&group=b", status: 400, code: .invalidParameter),
    Row(query: "?group=%FF", status: 400, code: .invalidParameter),
    Row(query: "?group=a&limit=0", status: 400, code: .invalidParameter),
    Row(query: "?group=a&limit=-1", status: 400, code: .invalidParameter),
    Row(query: "?group=a&limit=ten", status: 400, code: .invalidParameter),
    Row(query: "?group=a&limit=99999999999999999999", status: 400, code: .invalidParameter),
    Row(query: "?group=a&since=yesterday", status: 400, code: .invalidParameter),
    Row(query: "?group=a&since=-1", status: 400, code: .invalidParameter),
    Row(query: "?group=a&since=1&cursor=x", status: 400, code: .invalidParameter),
    Row(headers: ["Atomsync-Protocol": "2"], status: 400, code: .unsupportedProtocol),
    Row(headers: ["Accept": "text/html"], status: 406, code: .notAcceptable),
    Row(query: "", headers: ["Accept": "text/event-stream"], status: 400, code: .invalidParameter),
    Row(
      query: "?group=a&cursor=?&group=b", headers: ["Accept": "text/event-stream"], status: 400,
      code: .invalidParameter),
    Row(method: .PUT, status: 405, code: .methodNotAllowed),
    Row(method: .DELETE, status: 405, code: .methodNotAllowed),
    Row(method: .OPTIONS, status: 405, code: .methodNotAllowed),
    Row(method: .PATCH, status: 405, code: .methodNotAllowed),
    Row(
      method: .POST, headers: ["Content-Type": "application/json"], body: "{}", status: 415,
      code: .unsupportedMediaType),
    Row(
      method: .POST, headers: ["Content-Type": "application/transit+json", "Content-Encoding": "br"],
      body: "x", status: 415, code: .unsupportedMediaType),
    Row(method: .POST, headers: json, body: "", status: 400, code: .malformed),
    Row(method: .POST, headers: json, body: "[\"^ \",", status: 400, code: .malformed),
    Row(method: .POST, headers: json, body: empty + "x", status: 400, code: .malformed),
    Row(method: .POST, headers: json, body: "[]", status: 400, code: .malformed),
    Row(
      method: .POST, headers: json, body: String(repeating: "[", count: 600), status: 400, code: .malformed),
    Row(method: .POST, headers: json, body: #"["^ ","~:docs",[]]"#, status: 400, code: .malformed),
    Row(
      method: .POST, headers: json, body: #"["^ ","~:group","","~:docs",[]]"#, status: 400,
      code: .invalidGroup),
    Row(
      method: .POST, headers: json,
      body: #"["^ ","~:group","a","~:docs",[["^ ","~:id","x","~:value",1],["^ ","~:id","x","~:value",1]]]"#,
      status: 400, code: .duplicateID),
    Row(
      method: .POST, headers: ["Content-Type": "application/transit+msgpack"], body: "\u{1}", status: 400,
      code: .malformed),
  ]

  @Test func everyRowOfAnOpenServer() async throws {
    try await TestServer.run { server in
      for row in Self.open { try await check(row, server) }
    }
  }

  private static let withUsers: [Row] = [
    Row(status: 401, code: .unauthorized),
    Row(headers: ["Authorization": "Bearer wrong"], status: 401, code: .unauthorized),
    Row(method: .POST, headers: json, body: "nonsense", status: 401, code: .unauthorized),
    Row(headers: ["Accept": "text/event-stream"], status: 401, code: .unauthorized),
    Row(query: "?group=other", headers: alice, status: 403, code: .forbidden),
    Row(
      query: "?group=todo&group=other", headers: alice.with("Accept", "text/event-stream"), status: 403,
      code: .forbidden),
    Row(method: .POST, headers: bob.with(json), body: empty, status: 403, code: .forbidden),
    Row(
      method: .POST, headers: alice.with(json), body: #"["^ ","~:group","other","~:docs",[]]"#, status: 403,
      code: .forbidden),
    Row(
      method: .POST, headers: alice.with(json),
      body: #"["^ ","~:group","todo","~:user","bob","~:docs",[]]"#, status: 403, code: .wrongUser),
  ]
  private static let alice = ["Authorization": "Bearer abc123"]
  private static let bob = ["Authorization": "Bearer def456"]

  @Test func everyRowOfAServerWithUsers() async throws {
    try await TestServer.run(users: .aliceAndBob()) { server in
      for row in Self.withUsers { try await check(row, server) }
      let fine = try await server.raw.send(.GET, "?group=todo", headers: Self.bob)
      #expect(fine.status == 200 && fine.page?.user == "bob")
      let own = try await server.raw.post(
        #"["^ ","~:group","team:a","~:user","alice","~:docs",[]]"#, headers: Self.alice)
      #expect(own.status == 200)
    }
  }

  private func check(_ row: Row, _ server: TestServer) async throws {
    let reply = try await server.raw.send(
      row.method, row.query, headers: row.headers, body: row.body.map { .bytes(ByteBuffer(string: $0)) })
    let what = Comment(
      rawValue: "\(row.method) \(row.query) \(row.headers) \(row.body ?? "") → \(reply.text)")
    #expect(reply.status == row.status, what)
    #expect(reply.error?.code == row.code, what)
    #expect(reply.error?.message.isEmpty == false, what)
    #expect(reply.headers.first(name: "Atomsync-Protocol") == "1", what)
    #expect(reply.headers.first(name: "Cache-Control") == "no-store", what)
    #expect(reply.headers.first(name: "X-Request-ID") != nil, what)
    if row.status == 401 {
      #expect(reply.headers.first(name: "WWW-Authenticate")?.hasPrefix("Bearer") == true)
    }
    if row.status == 405 { #expect(reply.headers.first(name: "Allow") == "GET, POST") }
  }

  @Test func headHasNoBody() async throws {
    try await TestServer.run { server in
      // Two requests on one connection: a body after the first answer would stand before the second.
      let text = try await RawConnection.answers(
        to:
          "HEAD /sync HTTP/1.1\r\nHost: localhost\r\n\r\nGET /sync?group=todo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        port: server.port)
      let parts = text.components(separatedBy: "\r\n\r\n")
      #expect(parts.count == 3)
      #expect(parts[0].hasPrefix("HTTP/1.1 405") && parts[0].contains("Content-Length: "))
      #expect(parts[1].hasPrefix("HTTP/1.1 200"))
    }
  }

  @Test func anotherPathIsNotFound() async throws {
    try await TestServer.run { server in
      let raw = RawClient(url: server.url.replacing("/sync", with: "/elsewhere"))
      let reply = try await raw.send()
      #expect(reply.status == 404 && reply.error?.code == .notFound)
      #expect(reply.headers.first(name: "Atomsync-Protocol") == "1")
      #expect(try await RawClient(url: server.url + "/").send(.GET, "?group=todo").status == 200)
    }
  }

  @Test func anErrorComesInTheTypeThatWasAskedFor() async throws {
    try await TestServer.run { server in
      for type in [
        "application/transit+json", "application/transit+json; verbose=true", "application/transit+msgpack",
      ] {
        let reply = try await server.raw.send(.GET, "", headers: ["Accept": type])
        #expect(reply.headers.first(name: "Content-Type") == type)
        #expect(reply.error?.code == .invalidParameter)
      }
      let like = try await server.raw.post("\u{1}", type: "application/transit+msgpack")
      #expect(like.headers.first(name: "Content-Type") == "application/transit+msgpack")
    }
  }

  @Test func malformedTellsTheByte() async throws {
    try await TestServer.run { server in
      let reply = try await server.raw.post(#"["^ ","~:group",nope]"#)
      #expect(reply.error?.code == .malformed && reply.error?.offset == 16)
    }
  }

  /// What broke on the way may be sent again: it is no mistake of the client's.
  @Test func aBodyThatBreaksOffIsNotMalformed() async throws {
    struct Broken: Error {}
    let (stream, body) = AsyncThrowingStream<ByteBuffer, any Error>.makeStream()
    body.yield(ByteBuffer(string: #"["^ ","#))
    body.finish(throwing: Broken())
    let head = HTTPRequest(
      method: .post, scheme: "http", authority: "localhost", path: "/sync",
      headerFields: [.contentType: "application/transit+json"])
    let context = RequestContext(
      EndpointRequest(head, body: .pieces(stream), address: nil), Negotiation(),
      logger: Logger(label: "test"))
    let error = await #expect(throws: ProtocolError.self) {
      let _: PushRequest = try await context.message(limit: 1000, memory: Quota(total: 1000))
    }
    #expect(error?.code == .unavailable && error?.status.code == 503)
  }

  @Test func aLargeBodyIsRefusedWithItsLimit() async throws {
    var limits = Limits()
    limits.bodyBytes = 1000
    try await TestServer.run(limits: limits) { server in
      let padding = String(repeating: " ", count: 2000)
      let known = try await server.raw.post(Self.empty + padding)
      #expect(known.status == 413 && known.error?.limit == 1000)
      // Without Content-Length: counted as it arrives.
      let chunks = [ByteBuffer(string: Self.empty), ByteBuffer(string: padding)].async
      let streamed = try await server.raw.send(
        .POST, headers: Self.json, body: .stream(chunks, length: .unknown))
      #expect(streamed.status == 413 && streamed.error?.code == .tooLarge)
      #expect(try await server.raw.post(Self.empty).status == 200)
    }
  }

  @Test func anInternalErrorTellsNothing() {
    struct Secret: Error, CustomStringConvertible { var description: String { "password=hunter2" } }
    let body = ProtocolError(telling: Secret())
    #expect(body.code == .internal && body.status.code == 500)
    #expect(!body.message.contains("hunter2"))
    let store = ProtocolError(telling: StorageError(.corrupt, "hunter2", cause: "hunter2"))
    #expect(store.status.code == 500 && !store.message.contains("hunter2"))
    let busy = ProtocolError(telling: StorageError(.full, "hunter2"))
    #expect(busy.status.code == 503 && !busy.message.contains("hunter2"))
    #expect(busy.fields.contains { $0.0 == .retryAfter })
  }

  @Test func aClosedStoreIsUnavailable() async throws {
    try await TestServer.run { server in
      await server.authority.close()
      let reply = try await server.raw.send(.GET, "?group=todo")
      #expect(reply.status == 503 && reply.error?.code == .unavailable)
      #expect(reply.headers.first(name: "Retry-After") == "1")
    }
  }
}

extension [String: String] {
  fileprivate func with(_ name: String, _ value: String) -> Self { merging([name: value]) { $1 } }
  fileprivate func with(_ other: Self) -> Self { merging(other) { $1 } }
}

extension Array where Element: Sendable {
  fileprivate var async: AsyncStream<Element> {
    AsyncStream { continuation in
      for element in self { continuation.yield(element) }
      continuation.finish()
    }
  }
}
