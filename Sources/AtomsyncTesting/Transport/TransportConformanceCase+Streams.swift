internal import AtomsyncCore
internal import AtomsyncEngine

extension TransportConformanceCase {
  static let streams: [TransportConformanceCase] = [
    TransportConformanceCase("a stream opens, and then tells what is written, in order") { trial in
      try await trial.write(["before"])
      try await trial.follow(["g"]) { events, _ in
        try trial.expectations.expect(await events.next(), is: .opened, "the first event")
        try trial.expectations.expect(try await trial.ids(&events), is: ["before"], "the first page")
        for number in 0..<20 {
          try await trial.write(["\(number)"])
          try trial.expectations.expect(try await trial.ids(&events), is: ["\(number)"], "a page")
        }
      }
    },
    TransportConformanceCase("a stream follows several groups, each from its place") { trial in
      try await trial.write(["a"], group: "one")
      try await trial.write(["b"], group: "two")
      let place = try await trial.authority.pull(PullRequest(group: "two")).cursor
      try await trial.follow(["one", "two"], from: ["two": place]) { events, _ in
        _ = await events.next()
        try trial.expectations.expect(try await trial.ids(&events), is: ["a"], "the first page")
        try await trial.write(["c"], group: "two")
        try trial.expectations.expect(try await trial.ids(&events), is: ["c"], "the second page")
      }
    },
    TransportConformanceCase("a stream waits for its receiver") { trial in
      try await trial.open { transport in
        let (arrivals, arrival) = AsyncStream.makeStream(of: Bool.self)
        let gate = Promise<Void>()
        let isBusy = Lock(false)
        let stream = Task {
          defer { arrival.finish() }
          try await transport.live(LiveRequest(groups: [PullRequest(group: "g")])) { event in
            guard case .page = event else {
              arrival.yield(true)
              return
            }
            let isAlone = isBusy.withLock { busy in
              defer { busy = true }
              return !busy
            }
            arrival.yield(isAlone)
            try await gate.wait()
            isBusy.withLock { $0 = false }
          }
        }
        var arrived = arrivals.makeAsyncIterator()
        _ = await arrived.next()  // opened
        for number in 0..<10 {
          try await trial.write(["\(number)"])
          // The rest is written while the first page is being received.
          if number == 0 { _ = await arrived.next() }
        }
        gate.complete(.success(()))
        let isAlone = await arrived.next()
        try trial.expectations.expect(
          isAlone == true, "a page came while the one before it was being received")
        stream.cancel()
        _ = await stream.result
      }
    },
    TransportConformanceCase("a stream ends when its task is cancelled") { trial in
      try await trial.follow(["g"]) { events, stream in
        _ = await events.next()
        stream.cancel()
        let error = await stream.failure
        try trial.expectations.expect(
          error is CancellationError, "it ended with \(error.map { "\($0)" } ?? "no error")")
      }
    },
    TransportConformanceCase("what the receiver throws ends the stream, and is thrown") { trial in
      struct Enough: Error {}
      try await trial.open { transport in
        _ = try await trial.expectations.error(Enough.self, from: "a stream whose receiver throws") {
          try await transport.live(LiveRequest(groups: [PullRequest(group: "g")])) { _ in throw Enough() }
        }
      }
    },
    TransportConformanceCase("closing the transport ends its streams with an error") { trial in
      try await trial.open { transport in
        let (opened, opening) = AsyncStream.makeStream(of: Void.self)
        let stream = Task {
          defer { opening.finish() }
          try await transport.live(LiveRequest(groups: [PullRequest(group: "g")])) { _ in opening.yield() }
        }
        for await _ in opened { break }
        await transport.close()
        let error = await stream.failure
        try trial.expectations.expect(
          error is TransportError, "it ended with \(error.map { "\($0)" } ?? "no error")")
      }
    },
    TransportConformanceCase("a stream ends when its authority does") { trial in
      try await trial.follow(["g"]) { events, stream in
        _ = await events.next()
        await trial.authority.close()
        let error = await stream.failure
        try trial.expectations.expect(
          error == nil || error is TransportError, "it ended with \(error.map { "\($0)" } ?? "")")
      }
    },
  ]
}

extension Task where Success == Void, Failure == any Error {
  /// What the task ended with, once it has.
  var failure: (any Error)? {
    get async {
      if case .failure(let error) = await result { error } else { nil }
    }
  }
}

extension TransportTrial {
  typealias Events = AsyncStream<LiveEvent>.Iterator

  /// Follows groups for the length of `body`.
  fileprivate func follow(
    _ groups: [String], from cursors: [String: Cursor] = [:],
    _ body: (inout Events, Task<Void, any Error>) async throws -> Void
  ) async throws {
    try await open { transport in
      let (stream, received) = AsyncStream.makeStream(of: LiveEvent.self)
      let task = Task {
        defer { received.finish() }
        try await transport.live(
          LiveRequest(groups: groups.map { PullRequest(group: $0, cursor: cursors[$0]) })
        ) { received.yield($0) }
      }
      defer { task.cancel() }
      var events = stream.makeAsyncIterator()
      try await body(&events, task)
    }
  }

  /// The ids of the next page that has documents.
  fileprivate func ids(_ events: inout Events) async throws -> [String] {
    while let event = await events.next() {
      if case .page(let page) = event, !page.documents.isEmpty { return page.documents.map(\.id) }
    }
    throw expectations.fail("the stream ended")
  }
}
