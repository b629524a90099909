import Atomsync
import AtomsyncCore
import AtomsyncHTTPClient
import AtomsyncHTTPServer
import AtomsyncSQLite
import Foundation
import Testing

/// The program as people run it: options, exit codes, signals.
///
/// One at a time, because processes that start at once inherit each other's pipes.
@Suite(
  .serialized, .timeLimit(.minutes(1)),
  .enabled(if: FileManager.default.isExecutableFile(atPath: ServerProcess.program.path)))
struct ServerProgramTests {
  @Test(arguments: [
    (["--port", "abc"], "abc"),
    (["--port", "70000"], "70000"),
    (["abc"], "abc"),
    (["8090", "--port", "8091"], "twice"),
    (["8090", "a.db", "--path", "b.db"], "twice"),
    (["--bogus"], "--bogus"),
    (["--storage", "paper"], "paper"),
    (["--log-level", "loud"], "loud"),
    (["--host", "0.0.0.0", "--port", "0"], "--open"),
    (["--host", "host.invalid", "--open", "--port", "0"], "host.invalid"),
    (["--users", "none.json"], "none.json"),
    (["--users", "users.json"], "users.json"),
  ]) func whatItCannotDoIsOneLineAndCodeTwo(arguments: [String], naming: String) async throws {
    try await inFolder { folder in
      try Data(#"{"alice": {"groups": ["todo"]}}"#.utf8).write(
        to: folder.appendingPathComponent("users.json"))
      let outcome = try await ServerProcess.outcome(of: arguments, in: folder)
      #expect(outcome.code == 2)
      #expect(outcome.output.isEmpty)
      #expect(outcome.errors.contains(naming), "\(outcome.errors)")
      #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["users.json"])
    }
  }

  @Test func aTokenThatItMakesLetsItsUserIn() async throws {
    try await inFolder { folder in
      let made = try await ServerProcess.outcome(
        of: ["token", "alice", "--groups", "todo", "team:*", "--access", "read"], in: folder)
      let lines = made.output.split(separator: "\n").map(String.init)
      #expect(made.code == 0 && lines.count == 4 && lines[1].utf8.count == 43)
      #expect(!lines[3].contains(lines[1]), "the line has the digest alone")
      let users = try Users(json: Array("{\(lines[3])}".utf8))
      let alice = try #require(users.user(token: lines[1]))
      #expect(alice.name == "alice" && alice.groups == ["todo", "team:*"] && alice.access == .read)
      let wrong = try await ServerProcess.outcome(of: ["token", "alice", "--groups", "a*b"], in: folder)
      #expect(wrong.code == 2 && wrong.output.isEmpty && wrong.errors.contains("a*b"))
    }
  }

  @Test func aHangupWithoutUsersIsIgnored() async throws {
    try await inFolder { folder in
      let server = try await ServerProcess(["--storage", "memory", "--port", "0"], in: folder)
      server.signal(SIGHUP)
      let client = try HTTPTransport(server.url)
      #expect(try await client.pull(PullRequest(group: "todo")).documents.isEmpty)
      await client.close()
      server.signal(SIGTERM)
      #expect(await server.code() == 0)
    }
  }

  @Test func aPortInUseLeavesNothingBehind() async throws {
    try await TestServer.run { server in
      try await inFolder { folder in
        let outcome = try await ServerProcess.outcome(of: ["--port", "\(server.port)"], in: folder)
        #expect(outcome.code == 2 && outcome.errors.contains("\(server.port)"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
      }
    }
  }

  @Test func aStoreOfAnotherKindIsLeftAlone() async throws {
    try await inFolder { folder in
      let text = folder.appendingPathComponent("notes.txt")
      try Data("Buy milk".utf8).write(to: text)
      for (storage, path) in [("sqlite", "a.db"), ("lmdb", "a.lmdb")] {
        let server = try await ServerProcess(
          ["--storage", storage, "--path", path, "--port", "0"], in: folder)
        #expect(server.greeting.contains(path))
        server.signal(SIGTERM)
        #expect(await server.code() == 0)
      }
      let before = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      for (storage, path) in [
        ("lmdb", "a.db"), ("sqlite", "a.lmdb"), ("sqlite", "notes.txt"), ("lmdb", "notes.txt"),
      ] {
        let outcome = try await ServerProcess.outcome(
          of: ["--storage", storage, "--path", path, "--port", "0"], in: folder)
        #expect(outcome.code == 2 && outcome.output.isEmpty)
        #expect(outcome.errors.contains(path) && outcome.errors.split(separator: "\n").count == 1)
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == before)
      #expect(try String(contentsOf: text, encoding: .utf8) == "Buy milk")
    }
  }

  @Test(arguments: ["sqlite", "lmdb"]) func whatWasAnsweredIsThereAfterAKill(storage: String) async throws {
    try await inFolder { folder in
      let arguments = ["--storage", storage, "--port", "0"]
      let first = try await ServerProcess(arguments, in: folder)
      let client = try HTTPTransport(first.url)
      var answered: Set<String> = []
      for number in 0..<200 {
        if number == 100 { first.signal(SIGKILL) }
        let push = PushRequest(group: "todo", edits: [try .text("\(number)", "x")])
        if let answer = try? await client.push(push) { answered.formUnion(answer.accepted.map(\.id)) }
      }
      await client.close()
      #expect(answered.count >= 100)
      let second = try await ServerProcess(arguments, in: folder)
      let again = try HTTPTransport(second.url)
      let page = try await again.pull(PullRequest(group: "todo"))
      #expect(answered.isSubset(of: page.documents.map(\.id)))
      second.signal(SIGTERM)
      #expect(await second.code() == 0)
      await again.close()
    }
  }

  @Test func helpIsNoError() async throws {
    try await inFolder { folder in
      for (arguments, text) in [(["--help"], "verify"), (["serve", "--help"], "ATOMSYNC_STORAGE")] {
        let outcome = try await ServerProcess.outcome(of: arguments, in: folder)
        #expect(outcome.code == 0 && outcome.output.contains(text) && outcome.errors.isEmpty)
      }
    }
  }

  @Test(arguments: [SIGTERM, SIGINT]) func aSignalEndsItInGoodOrder(number: Int32) async throws {
    try await inFolder { folder in
      let server = try await ServerProcess(["--storage", "memory", "--port", "0"], in: folder)
      let client = try HTTPTransport(server.url)
      let opened = Gate()
      let stream = Task {
        try await client.live(LiveRequest(groups: [PullRequest(group: "todo")])) { event in
          if event == .opened { await opened.open() }
        }
      }
      await opened.wait()
      server.signal(number)
      // It says when to come back.
      let farewell = await #expect(throws: TransportError.self) { try await stream.value }
      let delay = try #require(farewell?.retryAfter)
      #expect(delay >= .milliseconds(500) && delay <= .seconds(5))
      #expect(await server.code() == 0)
      await client.close()
    }
  }

  @Test func metricsAreServedBeside() async throws {
    try await inFolder { folder in
      // A port that was free a moment ago: the program does not tell which it took.
      let port = try await FreePort.find()
      let server = try await ServerProcess(
        ["--storage", "memory", "--port", "0", "--metrics", "\(port)", "--log-format", "json"], in: folder)
      let push = #"["^ ","~:group","g","~:docs",[["^ ","~:id","a","~:version",0,"~:value",1]]]"#
      #expect(try await RawClient(url: server.url).post(push).status == 200)
      let metrics = RawClient(url: "http://127.0.0.1:\(port)/metrics")
      var reply = try? await metrics.send()
      while reply == nil { reply = try? await metrics.send() }  // it may still be starting
      let text = try #require(reply).text
      for line in [
        #"atomsync_http_requests_total{method="POST",status="200"} 1"#,
        #"atomsync_documents_pushed_total{verdict="accepted"} 1"#, "atomsync_live_streams 0",
        "atomsync_store_bytes 0",
      ] { #expect(text.split(separator: "\n").contains { $0 == line }, "\(line)") }
      #expect(text.contains("atomsync_storage_commit_seconds_count"))
      server.signal(SIGTERM)
      #expect(await server.code() == 0)
      for (flag, value) in [("--metrics", "x"), ("--metrics", "a:b"), ("--log-format", "xml")] {
        let refused = try await ServerProcess.outcome(of: [flag, value], in: folder)
        #expect(refused.code == 2 && refused.errors.contains(value))
      }
    }
  }

  @Test func theEnvironmentCountsAndFlagsWin() async throws {
    try await inFolder { folder in
      let environment = [
        "ATOMSYNC_STORAGE": "memory", "ATOMSYNC_PORT": "abc", "ATOMSYNC_HOST": "127.0.0.1",
        "ATOMSYNC_OPEN": "1", "ATOMSYNC_LOG_LEVEL": "error",
      ]
      let server = try await ServerProcess(["--port", "0"], environment: environment, in: folder)
      #expect(server.greeting.contains("memory") && server.greeting.contains("open"))
      #expect(server.greeting.split(separator: "\n").count == 1)
      server.signal(SIGTERM)
      #expect(await server.code() == 0)
      let refused = try await ServerProcess.outcome(of: [], environment: environment, in: folder)
      #expect(refused.code == 2 && refused.errors.contains("ATOMSYNC_PORT"))
    }
  }

  @Test func usersAreReadAgainOnSIGHUP() async throws {
    try await inFolder { folder in
      let file = folder.appendingPathComponent("users.json")
      func write(_ token: String) throws {
        try Data(#"{"alice": {"token": "\#(token)", "groups": ["todo"]}}"#.utf8).write(to: file)
      }
      try write("old")
      let server = try await ServerProcess(
        ["--storage", "memory", "--port", "0", "--users", "users.json"], in: folder)
      #expect(server.greeting.contains("1 user may come in"))
      let (old, new) = (
        try HTTPTransport(server.url, token: "old"), try HTTPTransport(server.url, token: "new")
      )
      #expect(try await old.pull(PullRequest(group: "todo")).user == "alice")
      try write("new")
      server.signal(SIGHUP)
      var isIn = false
      while !isIn {
        // Each answer is a round trip: the signal is on its way.
        isIn = (try? await new.pull(PullRequest(group: "todo"))) != nil
      }
      await #expect(throws: TransportError.self) { try await old.pull(PullRequest(group: "todo")) }
      server.signal(SIGTERM)
      #expect(await server.code() == 0)
      await old.close()
      await new.close()
    }
  }

  @Test func aStoreIsVerifiedWhileItIsServedAndAfterItWasDamaged() async throws {
    try await inFolder { folder in
      let path = folder.appendingPathComponent("atomsync.db").path
      func verify() async throws -> ServerProcess.Outcome {
        try await ServerProcess.outcome(of: ["verify", "--path", path], in: folder)
      }
      let missing = try await verify()
      #expect(missing.code == 2 && missing.errors.contains(path))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)

      let server = try await ServerProcess(["--port", "0"], in: folder)
      let client = try HTTPTransport(server.url)
      _ = try await client.push(
        PushRequest(group: "todo", edits: [try .text("a", "x"), try .text("b", "zebra")]))
      let clean = try await verify()
      #expect(clean.code == 0 && clean.output.contains("2 documents in 1 groups"), "\(clean)")
      await client.close()
      server.signal(SIGTERM)
      #expect(await server.code() == 0)

      let storage = try await StorageProvider.sqlite(path).open(.shared)
      let entries = try await storage.read(StorageQuery(scans: [StorageScan(.all)])).scans[0].entries
      let change = try #require(entries.first { String(decoding: $0.value, as: UTF8.self).contains("zebra") })
      _ = try await storage.commit(StorageBatch(writes: [.delete(change.key)]))
      await storage.close()
      let damaged = try await verify()
      #expect(damaged.code == 1 && damaged.output.contains("todo: "), "\(damaged)")
      let foreign = try await ServerProcess.outcome(of: ["verify", "--storage", "memory"], in: folder)
      #expect(foreign.code == 2 && foreign.errors.contains("memory"))
    }
  }

  func inFolder(_ body: (URL) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(folder)
  }
}
