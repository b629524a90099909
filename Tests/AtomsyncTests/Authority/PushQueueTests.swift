import Atomsync
import AtomsyncCore
import AtomsyncEngine
import AtomsyncStorageSupport
import AtomsyncTesting
import Testing
import Transit

/// Where an authority judges pushes.
@Suite(.timeLimit(.minutes(1))) struct PushQueueTests {
  private let executor = BlockingQueue("test")
  private let gate = FaultyStorage(MemoryStorage()).commitGate
  private let events = Lock<[String]>([])

  private func authority(_ onCommit: @escaping @Sendable () -> Void) async throws -> Authority {
    var configuration = Scene.configuration()
    configuration.storage = StorageProvider("with an executor") { [executor, gate] _ in
      ExecutingStorage(base: MemoryStorage(), executor: executor, gate: gate, onCommit: onCommit)
    }
    return try await Authority.open(configuration)
  }

  private func push(_ id: String, to authority: Authority) async throws -> PushAnswer {
    try await authority.push(PushRequest(group: "g", ticket: nil, edits: [try .put(id, 1)]))
  }

  @Test func turnsRunOnTheExecutorOfCommits() async throws {
    let authority = try await authority { [executor, events] in
      events.withLock { $0.append(executor.isCurrent ? "there" : "elsewhere") }
    }
    for id in ["a", "b"] { #expect(try await push(id, to: authority).accepted.map(\.id) == [id]) }
    #expect(events.withLock { $0 } == ["there", "there"])
    await authority.close()
  }

  /// Between two turns, also when the next has something to do already.
  @Test func whatElseWaitsForTheExecutorHasItsTurn() async throws {
    let authority = try await authority { [executor, events] in
      let isFirst = events.withLock { events in
        events.append("commit")
        return events.count == 1
      }
      if isFirst { Task(executorPreference: executor) { events.withLock { $0.append("other") } } }
    }
    gate.shut()
    let first = Task.immediate { try await push("a", to: authority) }
    await gate.holds(1)
    let second = Task.immediate { try await push("b", to: authority) }  // waits from now on
    gate.open()
    _ = try await (first.value, second.value)
    #expect(events.withLock { $0 } == ["commit", "other", "commit"])
    await authority.close()
  }
}

/// A storage that tells of the commits that change documents.
private struct ExecutingStorage: Storage {
  let base: any Storage
  let executor: BlockingQueue
  let gate: StorageGate
  let onCommit: @Sendable () -> Void

  var capabilities: StorageCapabilities { base.capabilities }
  var commitExecutor: (any TaskExecutor)? { executor }
  func read(_ query: StorageQuery) async throws -> StorageSnapshot { try await base.read(query) }
  func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] {
    if batches.contains(where: { $0.topics?.isEmpty == false }) {
      await gate.pass()
      onCommit()
    }
    return try await base.commit(batches)
  }
  func close() async { await base.close() }
}
