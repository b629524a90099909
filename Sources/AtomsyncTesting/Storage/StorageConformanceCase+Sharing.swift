internal import AtomsyncCore

extension StorageConformanceCase {
  static let sharing: [StorageConformanceCase] = [
    StorageConformanceCase("two handles see each other's commits") { trial in
      try await pair(trial) { first, second in
        for count in UInt8(1)...20 {
          try await first.put([([1], [count])])
          let seen = try await second.read([1])
          try trial.expect(seen, is: [count], "the other's commit")
          let outcomes = try await second.commit([
            StorageBatch(preconditions: [.equals([1], [count])], writes: [.put([2], [count])]),
            StorageBatch(preconditions: [.absent([1])], writes: [.put([3], [count])]),
          ])
          try trial.expect(outcomes, is: [.committed, .refused(key: [1])], "outcomes of the other")
          let back = try await first.read([[2], [3]])
          try trial.expect(back, is: [[count], nil], "the way back")
        }
      }
    },
    StorageConformanceCase("commits of two handles lose nothing") { trial in
      try await pair(trial) { first, second in
        let keys = (UInt8(0)..<40).map { [$0] }
        try await first.put(keys.map { ($0, [0]) })
        try await withThrowingTaskGroup { group in
          for storage in [first, second, first, second] {
            group.addTask {
              for _ in 1...40 { try await raise(keys, storage) }
            }
          }
          try await group.waitForAll()
        }
        let values = try await first.read(keys)
        try trial.expect(values, is: keys.map { _ in [160] }, "numbers after 4 tasks of 40 increments")
      }
    },
    StorageConformanceCase("foreignCommits rings for another handle's commit") { trial in
      try await pair(trial) { first, second in
        // A waiter as live readers are: it looks at each ring, and must in the end have seen the last commit.
        let bell = second.foreignCommits()
        let waiter = Task {
          for await _ in bell {
            if try await second.read([1]) == [3] { return true }
          }
          return false
        }
        for count in UInt8(1)...3 { try await first.put([([1], [count])]) }
        let isSeen = try await waiter.value
        try trial.expect(isSeen, "the stream ended before the last commit was seen")
      }
    },
    StorageConformanceCase("a commit that changes nothing hides no other's") { trial in
      try await pair(trial) { first, second in
        var bell = second.foreignCommits().makeAsyncIterator()
        try await first.put([([1], [0])])
        _ = await bell.next()
        // One of each, mostly between two looks, where a count of the one could make up for the other.
        for round: UInt8 in 1...4 {
          _ = try await second.commit(StorageBatch(writes: [.delete([9])]))
          try await first.put([([1], [round])])
          var isSeen = false
          while !isSeen, await bell.next() != nil { isSeen = try await second.read([1]) == [round] }
          try trial.expect(isSeen, "the stream ended before the commit was seen")
        }
      }
    },
    StorageConformanceCase("closing one handle leaves the other open") { trial in
      try await pair(trial) { first, second in
        try await first.put([([1], [1])])
        await first.close()
        let seen = try await second.read([1])
        try trial.expect(seen, is: [1], "the commit of the closed handle")
        try await second.put([([2], [2])])
        try await trial.expect(.closed, from: "read") { _ = try await first.read([1]) }
      }
    },
    StorageConformanceCase("exclusive access keeps others out until it closes") { trial in
      let isShared = try await trial.open { $0.capabilities.isShared }
      guard isShared else { return }
      try await trial.open(.exclusive) { storage in
        try await storage.put([([1], [1])])
        for access in [StorageAccess.shared, .exclusive] {
          try await trial.expect(.inUse, from: "opening beside an exclusive handle") {
            await (try trial.provider.open(access)).close()
          }
        }
      }
      try await trial.open(.shared) { storage in
        try await trial.expect(.inUse, from: "an exclusive opening beside a shared handle") {
          await (try trial.provider.open(.exclusive)).close()
        }
        let value = try await storage.read([1])
        try trial.expect(value, is: [1], "the commit of the exclusive handle")
      }
    },
  ]

  /// Adds one to each of several numbers, in one batch, as often as it takes.
  private static func raise(_ keys: [[UInt8]], _ storage: any Storage) async throws {
    while true {
      let old = try await storage.read(keys)
      var batch = StorageBatch()
      for (key, value) in zip(keys, old) {
        let value = value ?? [0]
        batch.preconditions.append(.equals(key, value))
        batch.put(key, value.map { $0 + 1 })
      }
      if try await storage.commit(batch) == .committed { return }
    }
  }

  /// Opens a shared store twice; does nothing for others.
  private static func pair(
    _ trial: StorageTrial, _ body: (any Storage, any Storage) async throws -> Void
  ) async throws {
    try await trial.open { first in
      guard first.capabilities.isShared else { return }
      try await trial.open { second in try await body(first, second) }
    }
  }
}
