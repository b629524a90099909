import AsyncHTTPClient
import Atomsync
import AtomsyncCore
import AtomsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Testing

@testable import AtomsyncHTTPServer

@Suite(.timeLimit(.minutes(1))) struct CompressionTests {
  private static func inflated(_ bytes: [UInt8], limit: Int = 64 << 20) throws -> (
    bytes: [UInt8], isComplete: Bool
  ) {
    let reader = try GzipReader(limit: limit)
    var all: [UInt8] = []
    // In pieces of any size, as they come from a network.
    for start in stride(from: 0, to: bytes.count, by: 7) {
      let piece = ByteBuffer(bytes: bytes[start..<min(start + 7, bytes.count)])
      try reader.read(piece) { all += Array(buffer: $0) }
    }
    return (all, reader.isComplete)
  }

  private static func gzip(_ text: String) throws -> [UInt8] {
    let writer = try #require(GzipWriter(.answer))
    return Array(buffer: writer.finish(ByteBuffer(string: text)))
  }

  @Test(arguments: [GzipWriter.Size.answer, .stream]) func whatIsWrittenIsRead(size: GzipWriter.Size) throws {
    let writer = try #require(GzipWriter(size))
    var (bytes, expected): ([UInt8], String) = ([], "")
    for number in 0..<200 {
      let text = String(repeating: "\(number * 7919) ", count: number)
      expected += text
      bytes += Array(buffer: writer.write(ByteBuffer(string: text)))
      // Each piece is whole: a reader does not have to wait for the next.
      if number % 50 == 0 { #expect(try Self.inflated(bytes).bytes.elementsEqual(expected.utf8)) }
    }
    bytes += Array(buffer: writer.finish())
    let result = try Self.inflated(bytes)
    #expect(result.isComplete && result.bytes.elementsEqual(expected.utf8))
    #expect(bytes.count < expected.utf8.count / 2)
  }

  @Test func whatIsNotWholeIsNoticed() throws {
    let bytes = try Self.gzip("some text that is to be sent")
    #expect(try !Self.inflated(Array(bytes.dropLast())).isComplete)
    for broken in [
      bytes + [0], Array("text".utf8) + bytes, bytes.dropLast(8) + [0, 0, 0, 0, 0, 0, 0, 0], bytes + bytes,
    ] {
      #expect(throws: GzipReader.Failure.malformed) { try Self.inflated(broken) }
    }
  }

  /// 10 kB that would be 10 MB stop at the limit.
  @Test func aBombStopsAtTheLimit() throws {
    let bytes = try Self.gzip(String(repeating: "0", count: 10 << 20))
    #expect(bytes.count < 64 << 10)
    let reader = try GzipReader(limit: 1 << 20)
    var count = 0
    #expect(throws: GzipReader.Failure.tooLarge) {
      try reader.read(ByteBuffer(bytes: bytes)) { count += $0.readableBytes }
    }
    #expect(count <= 1 << 20)
  }

  @Test(arguments: [
    (nil, false), ("gzip", true), ("deflate, gzip;q=0.5, br", true), ("gzip;q=0", false), ("*", true),
    ("identity, *;q=0", false), ("*, gzip;q=0", false), ("br", false), ("", false), ("GZip ; q=1", true),
  ]) func whatClientsTake(header: String?, allowed: Bool) {
    #expect(AcceptEncoding.allowsGzip(header) == allowed)
  }

  @Test func bodiesAndAnswers() async throws {
    var limits = Limits()
    limits.bodyBytes = 100_000
    try await TestServer.run(limits: limits) { server in
      func push(_ value: String, encoding: String = "gzip", cut: Int = 0) async throws -> RawClient.Reply {
        let text =
          #"["^ ","~:group","todo","~:docs",[["^ ","~:id","a","~:version",0,"~:value","\#(value)"]]]"#
        return try await server.raw.send(
          .POST, headers: ["Content-Type": "application/transit+json", "Content-Encoding": encoding],
          body: .bytes(ByteBuffer(bytes: try Self.gzip(text).dropLast(cut))))
      }
      let value = String(repeating: "x", count: 50_000)
      #expect(try await push(value, cut: 1).error?.code == .malformed)
      #expect(try await push(value, encoding: "br").error?.code == .unsupportedMediaType)
      #expect(try await push(value + value).error?.code == .tooLarge)
      #expect(try await push(value).verdicts?.accepted.map(\.id) == ["a"])

      let plain = try await server.raw.send(.GET, "?group=todo")
      #expect(plain.bytes.count > 50_000 && plain.headers["Content-Encoding"].isEmpty)
      let packed = try await server.raw.send(.GET, "?group=todo", headers: ["Accept-Encoding": "gzip"])
      #expect(packed.headers["Content-Encoding"] == ["gzip"] && packed.headers["Vary"] == ["Accept-Encoding"])
      #expect(packed.bytes.count < 2000)
      let documents = try Self.inflated(packed.bytes).bytes
      #expect(String(decoding: documents, as: UTF8.self).contains(value))
      let short = try await server.raw.send(.GET, "?group=none", headers: ["Accept-Encoding": "gzip"])
      #expect(short.page != nil && short.headers["Content-Encoding"].isEmpty)
    }
  }

  /// Every event can be read as soon as it has come, and the server's farewell ends the stream.
  @Test func liveStreams() async throws {
    try await TestServer.run { server in
      try await server.put("a")
      var request = HTTPClientRequest(url: server.url + "?group=todo")
      request.headers.add(name: "Accept", value: "text/event-stream")
      request.headers.add(name: "Accept-Encoding", value: "gzip")
      let answer = try await RawClient.client.execute(request, timeout: .seconds(30))
      #expect(answer.headers["Content-Encoding"] == ["gzip"])
      let reader = try GzipReader(limit: 1 << 20)
      var text = ""
      var hasShutDown = false
      for try await chunk in answer.body {
        try reader.read(chunk) { text += String(buffer: $0) }
        if text.contains(#""~:id","a""#) && !hasShutDown {
          hasShutDown = true
          await server.shutDown()
        }
      }
      #expect(reader.isComplete && text.wholeMatch(of: /(?s).*\n\nretry: [0-9]{3,4}\n\n/) != nil)
    }
  }

  /// Our own client asks other machines for it, and reads it. Under the second name it takes this one for another.
  @Test(arguments: [("127.0.0.1", false), ("[::ffff:127.0.0.1]", true)])
  func theClientAsksOtherMachines(host: String, asks: Bool) async throws {
    try await ScriptedServer.run("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n") { server in
      let client = try HTTPTransport("http://\(host):\(server.port)/sync")
      await #expect(throws: TransportError.self) { try await client.pull(PullRequest(group: "todo")) {} }
      await client.close()
      let field = "accept-encoding: \(asks ? "gzip" : "identity")\r\n"
      #expect(server.received.withLock { $0.lowercased().contains(field) })
    }
    try await TestServer.run(users: try .aliceAndBob()) { server in
      try await server.put("a", String(repeating: "x", count: 50_000))
      let client = try HTTPTransport("http://\(host):\(server.port)/sync", token: "abc123")
      let page = try await client.pull(PullRequest(group: "todo")) {}
      #expect(page.documents.first?.content.byteCount ?? 0 > 50_000)
      await client.close()
    }
  }

  /// A hostile server's answer stops at the client's limit, and one that is broken is no reason to think the server away.
  @Test(arguments: [false, true]) func anAnswerThatCannotBeInflated(isBroken: Bool) async throws {
    var body = try Self.gzip(String(repeating: "0", count: 10 << 20))
    if isBroken { body = Array("this is not gzip at all".utf8) }
    let head =
      "HTTP/1.1 200 OK\r\nAtomsync-Protocol: 1\r\nContent-Type: application/transit+json\r\n"
      + "Content-Encoding: gzip\r\nContent-Length: \(body.count)\r\n\r\n"
    try await ScriptedServer.run(head, body: body) { server in
      var options = HTTPTransportOptions()
      options.maximumAnswerBytes = 1 << 20
      let client = try HTTPTransport(server.url, options: options)
      let error = await #expect(throws: TransportError.self) {
        try await client.pull(PullRequest(group: "todo")) {}
      }
      #expect(error?.code == .malformedAnswer)
      await client.close()
    }
  }
}
