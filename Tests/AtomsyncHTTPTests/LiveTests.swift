import AsyncHTTPClient
import Atomsync
import AtomsyncCore
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import AtomsyncHTTPClient
@testable import AtomsyncHTTPServer

@Suite(.timeLimit(.minutes(1))) struct LiveTests {
  @Test func aCommitArrivesAtOnce() async throws {
    try await TestServer.run { server in
      try await server.withClient { client in
        try await following(client, ["todo"]) { events in
          #expect(await events.next() == .opened)
          #expect(await events.nextPage()?.documents.isEmpty == true)
          for number in 1...20 {
            let began = ContinuousClock.now
            try await server.put("todo:\(number)")
            #expect(await events.nextPage()?.documents.map(\.id) == ["todo:\(number)"])
            // Far above what it takes, so that a busy machine does not fail it.
            #expect(ContinuousClock.now - began < .seconds(2))
          }
        }
      }
    }
  }

  @Test func severalGroupsEachFromItsPlace() async throws {
    try await TestServer.run { server in
      for group in ["a", "b", "c"] { try await server.put("1", group: group) }
      let place = try await server.authority.pull(PullRequest(group: "b")).cursor
      try await server.put("2", group: "b")
      try await server.withClient { client in
        let requests = [
          PullRequest(group: "a"), PullRequest(group: "b", cursor: place), PullRequest(group: "c"),
        ]
        try await following(client, requests) { events in
          #expect(await events.next() == .opened)
          var seen: [String: [String]] = [:]
          for _ in 0..<3 {
            let page = try #require(await events.nextPage())
            seen[page.group] = page.documents.map(\.id)
          }
          #expect(seen == ["a": ["1"], "b": ["2"], "c": ["1"]])
        }
      }
    }
  }

  @Test func lastEventIDIsHonoured() async throws {
    try await TestServer.run { server in
      try await server.put("1")
      let old = try await server.authority.pull(PullRequest(group: "todo")).cursor
      try await server.put("2")
      let seen = try await server.authority.pull(PullRequest(group: "todo")).cursor
      try await server.put("3")
      var request = HTTPClientRequest(url: "\(server.url)?group=todo&cursor=\(old.text)")
      request.headers.add(name: "Accept", value: "text/event-stream")
      request.headers.add(name: "Last-Event-ID", value: seen.text)
      let response = try await RawClient.client.execute(request, timeout: .seconds(10))
      #expect(response.headers.first(name: "Content-Type") == "text/event-stream")
      #expect(response.headers.first(name: "Cache-Control") == "no-store")
      var parser = ServerSentEventParser(limit: 1 << 20)
      var events: [ServerSentEvent] = []
      for try await chunk in response.body {
        events += try parser.feed(chunk.readableBytesView)
        if !events.isEmpty { break }
      }
      let event = try #require(events.first)
      let page = try TransitCodec.transitJSON.decode(PullPage.self, from: event.data)
      #expect(page.documents.map(\.id) == ["3"])
      #expect(event.id == page.cursor.text && event.name == "page")
    }
  }

  @Test func aWithdrawnPermissionEndsTheGroup() async throws {
    try await TestServer.run(users: .aliceAndBob()) { server in
      try await server.withClient(token: "abc123") { client in
        try await following(client, ["todo", "team:a"]) { events in
          #expect(await events.next() == .opened)
          for _ in 0..<2 { #expect(await events.nextPage()?.user == "alice") }
          // At once, though nothing is written.
          server.server.endpoint.replaceUsers(
            try Users([User("alice", token: "abc123", groups: ["todo"])]))
          #expect(await events.next() == .revoked(group: "team:a"))
          try await server.put("open")
          #expect(await events.nextPage()?.documents.map(\.id) == ["open"])
          server.server.endpoint.replaceUsers(try Users([]))
          #expect(await events.next() == .revoked(group: "todo"))
          // With nothing left to follow, the stream ends.
          #expect(await events.next() == nil)
        }
      }
    }
  }

  /// It says nothing of what the user may read: no group is revoked.
  @Test func aRotatedTokenEndsTheStream() async throws {
    try await TestServer.run(users: .aliceAndBob()) { server in
      try await server.withClient(token: "abc123") { client in
        try await following(client, ["todo"]) { events in
          #expect(await events.next() == .opened)
          #expect(await events.nextPage() != nil)
          server.server.endpoint.replaceUsers(try Users([User("alice", token: "new", groups: ["todo"])]))
          #expect(await events.next() == nil)
        }
      }
    }
  }

  @Test func aShutdownEndsStreamsInGoodOrder() async throws {
    try await TestServer.run { server in
      try await server.withClient { client in
        try await following(client, ["todo"]) { events in
          #expect(await events.next() == .opened)
          #expect(await events.nextPage() != nil)
          let began = ContinuousClock.now
          await server.shutDown()
          #expect(await events.next() == nil)
          #expect(ContinuousClock.now - began < .seconds(5))
        }
      }
    }
  }

  @Test func heartbeatsKeepASilentStreamAlive() async throws {
    try await TestServer.run(heartbeat: .milliseconds(100)) { server in
      var options = HTTPTransportOptions()
      options.heartbeat = .seconds(2)
      try await server.withClient(options: options) { client in
        try await following(client, ["todo"]) { events in
          #expect(await events.next() == .opened)
          #expect(await events.nextPage() != nil)
          // Beside it, for longer than the six seconds that the client would bear a silent stream.
          try await readHeartbeats(65, server)
          try await server.put("1")
          #expect(await events.nextPage()?.documents.count == 1)
        }
      }
    }
  }

  @Test func aStreamWithoutHeartbeatsIsDead() async throws {
    try await TestServer.run(heartbeat: .seconds(60)) { server in
      var options = HTTPTransportOptions()
      options.heartbeat = .milliseconds(100)
      try await server.withClient(options: options) { client in
        let error = await #expect(throws: TransportError.self) {
          try await client.live(LiveRequest(groups: [PullRequest(group: "todo")])) { _ in }
        }
        #expect(error?.code == .timedOut)
      }
    }
  }

  @Test func aReaderThatTakesNothingIsCutAndHoldsNobodyUp() async throws {
    try await TestServer.run(heartbeat: .milliseconds(100), stallTimeout: .milliseconds(500)) { server in
      let lazy = try await LazyReader.connect(server, "GET /sync?group=todo HTTP/1.1")
      let text = String(repeating: "x", count: 512 << 10)
      for number in 0..<64 { try await server.put("\(number)", text) }
      // Meanwhile others are served.
      let page = try await server.withClient { try await $0.pull(PullRequest(group: "todo", limit: 1)) }
      #expect(page.documents.count == 1)
      let line = await server.log.first { $0.contains("broke off") }
      #expect(line?.contains("takes nothing") == true)
      let received = try await lazy.drain()
      #expect(received < 64 * text.utf8.count)
    }
  }

  @Test(arguments: [true, false]) func aClientThatGoesAwayEndsItsStream(sendsMore: Bool) async throws {
    try await TestServer.run { server in
      let reader = try await LazyReader.connect(server, "GET /sync?group=todo HTTP/1.1")
      _ = await server.log.first { $0.contains("stream begins") }
      if sendsMore { try await reader.channel.writeAndFlush(ByteBuffer(string: "GET / HTTP/1.1\r\n\r\n")) }
      try await reader.close()
      #expect(await server.log.first { $0.contains("stream ended") || $0.contains("broke off") } != nil)
    }
  }

  // MARK: Parts

  private func readHeartbeats(_ number: Int, _ server: TestServer) async throws {
    var request = HTTPClientRequest(url: "\(server.url)?group=other")
    request.headers.add(name: "Accept", value: "text/event-stream")
    let response = try await RawClient.client.execute(request, timeout: .seconds(10))
    var seen = 0
    for try await chunk in response.body {
      seen += String(buffer: chunk).components(separatedBy: ":\n\n").count - 1
      if seen >= number { return }
    }
  }
}
