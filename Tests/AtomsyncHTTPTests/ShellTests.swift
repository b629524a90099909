import Atomsync
import AtomsyncCore
import Foundation
import Testing

/// The shell client: replicas that come and go.
extension ServerProgramTests {
  private func shell(
    _ words: [String], store: String, at server: TestServer, in folder: URL
  ) async throws -> ServerProcess.Outcome {
    try await ServerProcess.outcome(
      of: ["--server", server.url, "--group", "todo", "--store", store] + words, program: ServerProcess.shell,
      in: folder)
  }

  @Test func aConflictIsToldListedAndRecovered() async throws {
    try await TestServer.run { server in
      try await inFolder { folder in
        func laptop(_ words: String...) async throws -> ServerProcess.Outcome {
          try await shell(words, store: "laptop.db", at: server, in: folder)
        }
        func phone(_ words: String...) async throws -> ServerProcess.Outcome {
          try await shell(words, store: "phone.lmdb", at: server, in: folder)
        }
        #expect(try await laptop("put", "todo:1", #"{:text "A"}"#).output == "saved, confirmed\n")
        #expect(try await phone("get", "todo:1", "--storage", "lmdb").output == "{:text \"A\"}\n")
        #expect(
          try await laptop("--offline", "put", "todo:1", #"{:text "L"}"#).output == "saved, 1 pending\n")
        let status = try await laptop("--offline", "status")
        #expect(status.code == 1 && status.output.contains(#":pending ["todo:1"]"#))
        _ = try await phone("--storage", "lmdb", "put", "todo:1", #"{:text "P"}"#)
        let sync = try await laptop("sync")
        #expect(sync.code == 1)
        #expect(sync.output.contains("whose value stands (conflict 1):\n{:text \"P\"}\n"), "\(sync)")
        let conflicts = try await laptop("--offline", "conflicts").output
        #expect(conflicts.contains(#":local {:text "L"}"#) && conflicts.contains(#":remote {:text "P"}"#))
        let unknown = try await laptop("--offline", "recover", "9")
        #expect(unknown.code == 2 && unknown.errors.contains("no conflict 9"))
        #expect(try await laptop("recover", "1").output == "saved, confirmed\n")
        #expect(try await phone("--storage", "lmdb", "get", "todo:1").output == "{:text \"L\"}\n")
      }
    }
  }

  @Test func aRejectedEditIsListedRetriedAndDiscarded() async throws {
    var limits = Limits()
    limits.valueBytes = 100
    try await TestServer.run(limits: limits) { server in
      try await inFolder { folder in
        func shell(_ words: String...) async throws -> ServerProcess.Outcome {
          try await self.shell(words, store: "laptop.db", at: server, in: folder)
        }
        let big = String(repeating: "x", count: 200)
        let put = try await shell("put", "big", "\"\(big)\"")
        #expect(put.code == 1 && put.output == "saved, but the server has rejected big: too-large\n")
        let list = try await shell("--offline", "rejected").output
        #expect(list.contains(":reason \"too-large\"") && list.contains(big))
        #expect(try await shell("retry", "big").code == 1)
        #expect(try await shell("--offline", "retry", "small").code == 2)
        #expect(try await shell("--offline", "discard", "big").code == 0)
        #expect(try await shell("--offline", "rejected").output.isEmpty)
        #expect(try await shell("sync").output == "in sync\n")
      }
    }
  }
}

/// What people type wrong, and what they set instead of typing it.
extension ServerProgramTests {
  @Test(arguments: [
    (["put", "a"], "atomsync: Missing expected argument '<edn>'\n"),
    (["put", "a", "1"], "atomsync: Which group? Name it with --group, or set ATOMSYNC_GROUP.\n"),
    (["--group", "g", "sync"], "atomsync: sync needs --server, and not --offline.\n"),
    (["bogus"], "atomsync: Unexpected argument 'bogus'\n"),
    (["recover", "--group", "g", "x"], "atomsync: The value 'x' is invalid for '<number>'\n"),
  ]) func aMistakeOnTheCommandLineIsOneLine(arguments: [String], message: String) async throws {
    try await inFolder { folder in
      let outcome = try await ServerProcess.outcome(of: arguments, program: ServerProcess.shell, in: folder)
      #expect(outcome.code == 2 && outcome.output.isEmpty && outcome.errors == message)
    }
  }

  @Test func aServerThatCannotBeReachedIsNamed() async throws {
    try await inFolder { folder in
      let outcome = try await ServerProcess.outcome(
        of: [
          "sync", "--group", "g", "--store", "a.db", "--server", "http://localhost:1/sync", "--wait", "1",
        ],
        program: ServerProcess.shell, in: folder)
      #expect(outcome.code == 1)
      #expect(outcome.errors == "atomsync: Cannot reach http://localhost:1/sync: connection refused.\n")
    }
  }

  @Test func theEnvironmentNamesServerGroupAndToken() async throws {
    try await TestServer.run(users: .aliceAndBob()) { server in
      try await inFolder { folder in
        let environment = [
          "ATOMSYNC_SERVER": server.url, "ATOMSYNC_GROUP": "todo", "ATOMSYNC_TOKEN": "abc123",
        ]
        func shell(_ words: String...) async throws -> ServerProcess.Outcome {
          try await ServerProcess.outcome(
            of: words + ["--store", "a.db"], program: ServerProcess.shell, environment: environment,
            in: folder)
        }
        #expect(try await shell("put", "a", "1").output == "saved, confirmed\n")
        let refused = try await shell("put", "a", "2", "--token", "wrong")
        #expect(
          refused.code == 1 && refused.output == "saved, 1 pending\n" && refused.errors.contains("token"))
        let broken = try await shell("put", "a", "3", "--token", "a\nb")
        #expect(
          broken.code == 1 && !broken.errors.contains("a\nb") && broken.errors.contains("cannot be sent"))
      }
    }
  }

  /// "Confirmed" is what the server has said, and nothing else.
  @Test func whatWasNotSentIsNotConfirmed() async throws {
    try await inFolder { folder in
      func shell(_ words: String...) async throws -> ServerProcess.Outcome {
        let options = [
          "--group", "g", "--store", "a.db", "--server", "http://localhost:1/sync", "--wait", "0.5",
        ]
        return try await ServerProcess.outcome(of: words + options, program: ServerProcess.shell, in: folder)
      }
      var outcome = try await shell("put", "a", "1")
      #expect(outcome.code == 1 && outcome.output == "saved, 1 pending\n")
      outcome = try await shell("put", "a", "1")
      #expect(outcome.code == 1 && outcome.output == "unchanged, 1 pending\n")
      outcome = try await shell("delete", "never")
      #expect(outcome.code == 1 && outcome.output == "unchanged, 1 pending\n")
      outcome = try await shell("delete", "a")
      #expect(outcome.code == 0 && outcome.output == "saved, nothing to send\n")
    }
  }

  /// A full disk behind standard output, or nobody.
  @Test(arguments: ["/dev/full"]) func outputThatCannotBeWrittenIsAnError(device: String) async throws {
    try await inFolder { folder in
      for (program, words) in [
        (ServerProcess.shell, "get --group g --store a.db"), (ServerProcess.shell, "--help"),
        (ServerProcess.program, "--help"), (ServerProcess.program, "token alice --groups todo"),
      ] {
        let outcome = try await ServerProcess.outcome(
          of: ["-c", "exec '\(program.path)' \(words) >\(device)"], program: URL(fileURLWithPath: "/bin/sh"),
          in: folder)
        #expect(outcome.code == 2 && outcome.errors.split(separator: "\n").count == 1, "\(words): \(outcome)")
      }
    }
  }

  /// Two texts that differ would be stored as one.
  @Test func argumentsThatAreNoTextAreRefused() async throws {
    try await inFolder { folder in
      let outcome = try await ServerProcess.outcome(
        of: ["-c", "exec '\(ServerProcess.shell.path)' put \"$(printf '\\377')\" 1 --group g --store a.db"],
        program: URL(fileURLWithPath: "/bin/sh"), in: folder)
      #expect(outcome.code == 2 && outcome.errors == "atomsync: Argument 2 is not UTF-8. Nothing was done.\n")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }
  }

  @Test func controlCharactersAreEscaped() async throws {
    try await inFolder { folder in
      let options = ["--group", "g", "--store", "a.db"]
      _ = try await ServerProcess.outcome(
        of: ["put", "a", "\"\u{1B}]0;x\u{7}\""] + options, program: ServerProcess.shell, in: folder)
      let shown = try await ServerProcess.outcome(
        of: ["get", "a"] + options, program: ServerProcess.shell, in: folder)
      #expect(shown.output == "\"\\u001b]0;x\\u0007\"\n")
    }
  }

  @Test(arguments: [["--version"], ["get", "--help"], ["--generate-completion-script", "bash"]])
  func whatIsAskedForIsNoError(arguments: [String]) async throws {
    try await inFolder { folder in
      for program in [ServerProcess.shell, ServerProcess.program]
      where program == ServerProcess.shell || arguments[0] != "get" {
        let outcome = try await ServerProcess.outcome(of: arguments, program: program, in: folder)
        #expect(outcome.code == 0 && !outcome.output.isEmpty && outcome.errors.isEmpty)
      }
    }
  }
}

/// Documents that the server cannot read.
extension ServerProgramTests {
  @Test func encryptedDocumentsAreReadWithTheKeyOnly() async throws {
    try await TestServer.run { server in
      try await inFolder { folder in
        func run(_ store: String, _ words: String...) async throws -> ServerProcess.Outcome {
          try await shell(words, store: store, at: server, in: folder)
        }
        for (name, digit) in [("right.key", "a"), ("wrong.key", "b")] {
          let text = "# a key\n\(String(repeating: digit, count: 64))\n"
          try text.write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
        }
        #expect(
          try await run("one.db", "--key-file", "right.key", "--seal-store", "put", "diary", #""secret""#)
            .output
            == "saved, confirmed\n")
        #expect(try await run("two.db", "--key-file", "right.key", "get", "diary").output == "\"secret\"\n")
        let stranger = try await run("three.db", "get", "diary")
        #expect(stranger.output.contains("#sealed [1 \"") && !stranger.output.contains("secret"))
        let other = try await run("four.db", "--key-file", "wrong.key", "get", "diary")
        #expect(other.code == 1 && other.errors.contains("sealed by the key"))
        let status = try await run("four.db", "--key-file", "wrong.key", "status").output
        #expect(status.contains(":unopened 1"))
        let without = try await run("one.db", "--offline", "get", "diary")
        #expect(without.code != 0 && without.errors.contains("open it with its key"), "\(without)")
        for (words, message) in [
          (["--key-file", "none.key"], "none.key cannot be read"), (["--hide-ids"], "need --key-file"),
        ] {
          let mistake = try await shell(words + ["get", "diary"], store: "five.db", at: server, in: folder)
          #expect(mistake.code == 2 && mistake.errors.contains(message), "\(mistake)")
        }
      }
    }
  }
}
