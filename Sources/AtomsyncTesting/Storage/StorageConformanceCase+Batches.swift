internal import AtomsyncCore

extension StorageConformanceCase {
  static let batches: [StorageConformanceCase] = [
    StorageConformanceCase("preconditions see the batches before them") { trial in
      try await trial.open { storage in
        let outcomes = try await storage.commit([
          StorageBatch(preconditions: [.absent([1])], writes: [.put([1], [1])]),
          StorageBatch(preconditions: [.absent([1])], writes: [.put([2], [2])]),
          StorageBatch(preconditions: [.equals([1], [1])], writes: [.put([1], [3])]),
          StorageBatch(preconditions: [.equals([1], [1])], writes: [.put([1], [4])]),
          StorageBatch(writes: [.delete([1])]),
          StorageBatch(preconditions: [.absent([1])], writes: [.put([5], [5])]),
        ])
        try trial.expect(
          outcomes,
          is: [.committed, .refused(key: [1]), .committed, .refused(key: [1]), .committed, .committed],
          "outcomes")
        let values = try await storage.read([[1], [2], [5]])
        try trial.expect(values, is: [nil, nil, [5]], "values")
      }
    },
    StorageConformanceCase("a refused batch writes nothing and its neighbours all") { trial in
      try await trial.open { storage in
        try await storage.put([([9], [9])])
        let outcomes = try await storage.commit([
          StorageBatch(writes: [.put([1], [1]), .put([2], [2])]),
          StorageBatch(
            preconditions: [.equals([9], [9]), .equals([1], [7]), .absent([9])],
            writes: [.put([3], [3]), .delete([1]), .put([9], [0])]),
          StorageBatch(preconditions: [.equals([9], [9])], writes: [.put([4], [4]), .delete([2])]),
        ])
        try trial.expect(outcomes, is: [.committed, .refused(key: [1]), .committed], "outcomes")
        let values = try await storage.read([[1], [2], [3], [4], [9]])
        try trial.expect(values, is: [[1], nil, nil, [4], [9]], "values")
      }
    },
    StorageConformanceCase("preconditions hold before the batch's own writes") { trial in
      try await trial.open { storage in
        let outcome = try await storage.commit(
          StorageBatch(preconditions: [.absent([1]), .absent([2])], writes: [.put([1], [1])]))
        try trial.expect(outcome, is: .committed, "outcome")
        let none = try await storage.commit(
          StorageBatch(preconditions: [.equals([2], [1])], writes: [.put([2], [1])]))
        try trial.expect(none, is: .refused(key: [2]), "outcome")
      }
    },
    StorageConformanceCase("the last write of a key wins") { trial in
      try await trial.open { storage in
        _ = try await storage.commit(
          StorageBatch(writes: [
            .put([1], [1]), .put([1], [2]), .put([2], [1]), .delete([2]), .delete([3]), .put([3], [3]),
          ]))
        let values = try await storage.read([[1], [2], [3]])
        try trial.expect(values, is: [[2], nil, [3]], "values")
      }
    },
    StorageConformanceCase("equals compares whole values") { trial in
      try await trial.open { storage in
        try await storage.put([([1], [1, 2, 3])])
        for other: [UInt8] in [[], [1, 2], [1, 2, 3, 0], [1, 2, 4]] {
          let outcome = try await storage.commit(StorageBatch(preconditions: [.equals([1], other)]))
          try trial.expect(outcome, is: .refused(key: [1]), "outcome of equals \(other)")
        }
      }
    },
    StorageConformanceCase("no batch is no error, and neither is an empty one") { trial in
      try await trial.open { storage in
        let none = try await storage.commit([])
        try trial.expect(none, is: [], "outcomes of no batch")
        let empty = try await storage.commit([StorageBatch(), StorageBatch(writes: [.delete([1])])])
        try trial.expect(empty, is: [.committed, .committed], "outcomes")
      }
    },
  ]
}
