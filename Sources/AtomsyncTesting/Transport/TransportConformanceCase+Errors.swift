internal import AtomsyncCore
internal import AtomsyncEngine

extension TransportConformanceCase {
  static let errors: [TransportConformanceCase] = [
    TransportConformanceCase("what the authority refuses is an error that says why") { trial in
      try await trial.open { transport in
        let tooMany = (0...TransportTrial.documentsPerPush).map {
          Edit(id: "\($0)", version: 0, content: .deleted)
        }
        for (code, push) in [
          (TransportError.Code.tooLarge, PushRequest(group: "g", edits: tooMany)),
          (.refused, PushRequest(group: "", edits: [])),
          (.refused, PushRequest(group: "g", edits: [tooMany[0], tooMany[0]])),
        ] {
          let error = try await trial.error("a push") { _ = try await transport.push(push) }
          try trial.expectations.expect(error.code, is: code, "the code")
          try trial.expectations.expect(!error.message.isEmpty, "no message")
        }
        let error = try await trial.error("a pull") { _ = try await transport.pull(PullRequest(group: "")) }
        try trial.expectations.expect(error.code, is: .refused, "the code of a pull")
        let live = try await trial.error("a stream") {
          try await transport.live(LiveRequest(groups: [PullRequest(group: "")])) { _ in }
        }
        try trial.expectations.expect(live.code, is: .refused, "the code of a stream")
        // It goes on to work.
        _ = try await transport.pull(PullRequest(group: "g"))
      }
    },
    TransportConformanceCase("a store that fails is no verdict") { trial in
      try await trial.open { transport in
        _ = try await transport.pull(PullRequest(group: "g"))
        await trial.authority.close()
        for call in ["pull", "push"] {
          let error = try await trial.error(call) {
            if call == "pull" {
              _ = try await transport.pull(PullRequest(group: "g"))
            } else {
              _ = try await transport.push(
                PushRequest(group: "g", edits: [Edit(id: "a", version: 0, content: .deleted)]))
            }
          }
          try trial.expectations.expect(
            [.unavailable, .unreachable].contains(error.code), "\(call): the code is \(error.code)")
        }
      }
    },
    TransportConformanceCase("after close, every call is an error") { trial in
      try await trial.open { transport in
        _ = try await transport.pull(PullRequest(group: "g"))
        await transport.close()
        await transport.close()
        _ = try await trial.error("pull") { _ = try await transport.pull(PullRequest(group: "g")) }
        _ = try await trial.error("push") { _ = try await transport.push(PushRequest(group: "g", edits: [])) }
        _ = try await trial.error("live") {
          try await transport.live(LiveRequest(groups: [PullRequest(group: "g")])) { _ in }
        }
      }
    },
    TransportConformanceCase("closing the transport ends calls in progress with an error") { trial in
      try await trial.whileHeldUp { transport, calls in
        await transport.close()
        for call in calls {
          let error = await call.failure
          try trial.expectations.expect(
            error is TransportError, "a call ended with \(error.map { "\($0)" } ?? "an answer")")
        }
      }
    },
    TransportConformanceCase("a call ends when its task is cancelled") { trial in
      try await trial.whileHeldUp { _, calls in
        for call in calls {
          call.cancel()
          let error = await call.failure
          try trial.expectations.expect(
            error is CancellationError || error is TransportError,
            "a call ended with \(error.map { "\($0)" } ?? "an answer")")
        }
      }
    },
    TransportConformanceCase("closing one transport leaves the other open") { trial in
      try await trial.open { first in
        try await trial.open { second in
          _ = try await first.pull(PullRequest(group: "g"))
          await first.close()
          _ = try await second.pull(PullRequest(group: "g"))
        }
      }
    },
  ]
}

extension TransportTrial {
  /// Runs `body` while a pull and a push wait for the authority's disk.
  func whileHeldUp(
    _ body: (any Transport, [Task<Void, any Error>]) async throws -> Void
  ) async throws {
    try await open { transport in
      _ = try await transport.pull(PullRequest(group: "g"))
      disk.readGate.shut()
      defer { disk.readGate.open() }
      let edits = [Edit(id: "a", version: 0, content: .deleted)]
      let calls = [
        Task { _ = try await transport.pull(PullRequest(group: "g")) },
        Task { _ = try await transport.push(PushRequest(group: "g", edits: edits)) },
      ]
      await disk.readGate.holds(2)
      try await body(transport, calls)
    }
  }

  /// The `TransportError` that `body` has to throw.
  func error(_ what: String, _ body: () async throws -> Void) async throws -> TransportError {
    try await expectations.error(TransportError.self, from: what, body)
  }
}
