import Atomsync
import AtomsyncCore
import AtomsyncTesting
import Testing
import Transit

/// Many at once, for the thread sanitizer.
@Suite(.timeLimit(.minutes(1))) struct ConcurrencyTests {
  private let increment: @Sendable (inout Documents<TransitValue>) -> Void = { documents in
    if case .int(let value) = documents["counter"] ?? 0 { documents["counter"] = .int(value + 1) }
  }

  @Test func eightTasksSwapTheSameAtomWhileItSyncs() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    let other = try await scene.other()
    let (increment, network) = (increment, scene.network)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<8 {
        group.addTask {
          for round in 0..<25 {
            let receipt = try atom.swap(increment)
            try atom.swap(atomic: true) {
              $0["t\(number)"] = .int(Int64(round))
              $0["u\(number)"] = .int(Int64(round))
            }
            if round % 5 == 0 { try await receipt.saved() }
            if round % 8 == number { network.cutLive() }
            #expect(atom.value["t\(number)"] == .int(Int64(round)))
          }
        }
        group.addTask {  // watchers that come and go
          for _ in 0..<5 {
            for await _ in atom.values { break }
            for await _ in atom.statuses { break }
            let changes = atom.changes
            _ = changes.makeAsyncIterator()
            _ = (atom.conflicts, atom.rejections, atom.status)
          }
        }
      }
      try await group.waitForAll()
    }
    try await atom.settled()
    #expect(atom.value["counter"] == 200)
    try await other.value { $0["counter"] == 200 }
    try await other.sync()
    #expect(try await scene.server() == atom.contents)
    #expect(other.contents == atom.contents)
  }

  @Test func closeInTheMiddleLosesNothingThatWasSaved() async throws {
    let scene = try await Scene()
    let client = try await scene.client()
    let atom = try await scene.atom(of: client)
    let start = try atom.swap { $0["counter"] = 0 }.id.edit
    let durable = Lock<Int64>(0)
    let increment = increment
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          while let receipt = try? atom.swap(increment) {
            guard (try? await receipt.saved()) != nil else { return }
            durable.withLock { $0 = max($0, receipt.id.edit - start) }
            _ = try? await receipt.confirmed(timeout: .milliseconds(1))
          }
        }
        group.addTask { for await _ in atom.changes {} }
        group.addTask { for await _ in atom.statuses {} }
      }
      group.addTask {
        while durable.withLock({ $0 }) < 20 { await Task.yield() }
        try? await client.close()
      }
    }
    let again = try await scene.atom()
    guard case .int(let value) = again.value["counter"] else {
      Issue.record("The counter is gone.")
      return
    }
    #expect(value >= durable.withLock { $0 })
    try await again.settled()
    #expect(try await scene.server() == ["counter": .int(value)])
  }

  /// Dropping an atom and its client without closing them leaves nothing running.
  @Test func whatIsDroppedLetsGoOfTheNetwork() async throws {
    let scene = try await Scene()
    do {
      let atom = try await scene.atom()
      try await atom.settled()
      #expect(scene.network.liveCount == 1)
    }
    try await eventually { scene.network.liveCount == 0 }
  }

  @Test func manySyncsAtOnce() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<16 {
        group.addTask {
          try atom.swap { $0["\(number)"] = 1 }
          while true {  // another task's swap may come in between
            do { return try await atom.sync() } catch let error as SyncError where error.code == .unsettled {}
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try await scene.server().count == 16)
  }
}
