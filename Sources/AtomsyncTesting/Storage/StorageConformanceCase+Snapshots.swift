internal import AtomsyncCore

extension StorageConformanceCase {
  static let snapshots: [StorageConformanceCase] = [
    StorageConformanceCase("a read sees all of a batch or none of it") { trial in
      try await trial.open { storage in
        let first: [UInt8] = [1]
        let last: [UInt8] = [200]
        try await storage.put([(first, [0]), (last, [0])])
        try await withThrowingTaskGroup { group in
          group.addTask {
            for count in 1...400 {
              let value = [UInt8(truncatingIfNeeded: count), UInt8(truncatingIfNeeded: count >> 8)]
              try await storage.put([(first, value), (last, value)])
            }
          }
          for executor in [nil, storage.commitExecutor] {
            group.addTask(executorPreference: executor) {
              for _ in 1...400 {
                let snapshot = try await storage.read(
                  StorageQuery(
                    keys: [first, last],
                    scans: [StorageScan(KeyRange(prefix: last)), StorageScan(.all)]))
                let seen = snapshot.values + snapshot.scans.flatMap { $0.entries.map { $0.value } }
                try trial.expect(seen.count, is: 5, "answers")
                try trial.expect(Set(seen).count, is: 1, "different values in one snapshot")
              }
            }
          }
          try await group.waitForAll()
        }
      }
    },
    StorageConformanceCase("a read that starts after a commit sees it") { trial in
      try await trial.open { storage in
        try await withThrowingTaskGroup { group in
          for writer in UInt8(1)...4 {
            group.addTask(executorPreference: writer > 2 ? storage.commitExecutor : nil) {
              for count in UInt8(1)...50 {
                try await storage.put([([writer], [count])])
                let value = try await storage.read([writer])
                try trial.expect(value, is: [count], "what was just written")
              }
            }
          }
          try await group.waitForAll()
        }
      }
    },
    StorageConformanceCase("concurrent commits with conditions lose nothing") { trial in
      try await trial.open { storage in
        let key = bytes("counter")
        try await storage.put([(key, [0, 0])])
        try await withThrowingTaskGroup { group in
          for number in 1...8 {
            group.addTask(executorPreference: number > 4 ? storage.commitExecutor : nil) {
              for _ in 1...25 { try await increment(key, storage) }
            }
          }
          try await group.waitForAll()
        }
        let value = try await storage.read(key)
        try trial.expect(value, is: [0, 200], "the counter after 8 tasks of 25 increments")
      }
    },
  ]

  /// Adds one to a number of two bytes, as often as it takes.
  private static func increment(_ key: [UInt8], _ storage: any Storage) async throws {
    while true {
      let old = try await storage.read(key) ?? [0, 0]
      let number = old.reduce(0) { $0 << 8 | Int($1) } + 1
      let new = [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
      let batch = StorageBatch(preconditions: [.equals(key, old)], writes: [.put(key, new)])
      if try await storage.commit(batch) == .committed { return }
    }
  }
}
