internal import AtomsyncCore

extension StorageConformanceCase {
  static let lifetime: [StorageConformanceCase] = [
    StorageConformanceCase("a new store is empty") { trial in
      try await trial.open { storage in
        let all = try await storage.scan(StorageScan(.all))
        try trial.expect(all, is: StorageScanResult(entries: [], isComplete: true), "all entries")
      }
    },
    StorageConformanceCase("what was committed is there after reopening") { trial in
      var isDurable = true
      for round in UInt8(0)..<3 where isDurable {
        isDurable = try await trial.open { storage in
          guard storage.capabilities.durability > .none else { return false }
          let entries = try await storage.scan(StorageScan(.all)).entries
          try trial.expect(entries.map(\.key), is: (0..<round).map { [$0] }, "keys in round \(round)")
          try await storage.put([([round], [round]), ([100], [])])
          _ = try await storage.commit(StorageBatch(writes: [.delete([100])]))
          return true
        }
      }
    },
    StorageConformanceCase("after close, every call says closed") { trial in
      try await trial.open { storage in
        try await storage.put([([1], [1])])
        await storage.close()
        await storage.close()
        try await trial.expect(.closed, from: "read") { _ = try await storage.read([1]) }
        try await trial.expect(.closed, from: "scan") {
          _ = try await storage.scan(StorageScan(.all))
        }
        try await trial.expect(.closed, from: "commit") { try await storage.put([([2], [2])]) }
        try await trial.expect(.closed, from: "commit of nothing") { _ = try await storage.commit([]) }
      }
    },
    StorageConformanceCase("close waits for the commits that were begun") { trial in
      let isDurable = try await trial.open { $0.capabilities.durability > .none }
      guard isDurable else { return }
      let storage = try await trial.provider.open(.shared)
      let answered = await withTaskGroup { group in
        for key in UInt8(1)...50 {
          group.addTask { (try? await storage.put([([key], [key])])) == nil ? nil : [key] }
        }
        group.addTask { () -> [UInt8]? in
          await storage.close()
          return nil
        }
        return await group.reduce(into: [[UInt8]]()) { if let key = $1 { $0.append(key) } }
      }
      try await trial.open { storage in
        let values = try await storage.read(answered)
        try trial.expect(values, is: answered, "commits that were answered around a close")
      }
    },
    StorageConformanceCase("foreignCommits ends when the storage closes") { trial in
      try await trial.open { storage in
        let bell = storage.foreignCommits()
        await storage.close()
        for await _ in bell {}
      }
    },
    StorageConformanceCase("foreignCommits ends when its task is cancelled") { trial in
      try await trial.open { storage in
        // Sooner or later, so that some tasks are cancelled before they wait, and others while they do.
        for pauses in 0..<50 {
          let bell = storage.foreignCommits()
          let task = Task { for await _ in bell {} }
          for _ in 0..<pauses { await Task.yield() }
          task.cancel()
          await task.value
        }
      }
    },
  ]
}
