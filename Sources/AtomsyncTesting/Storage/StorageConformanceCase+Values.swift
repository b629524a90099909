internal import AtomsyncCore

extension StorageConformanceCase {
  static let values: [StorageConformanceCase] = [
    StorageConformanceCase("an empty value is a value") { trial in
      try await trial.open { storage in
        try await storage.put([([1], []), ([2], [0])])
        let values = try await storage.read([[1], [2], [3]])
        try trial.expect(values, is: [[], [0], nil], "values")
        let entries = try await storage.scan(StorageScan(.all)).entries
        try trial.expect(entries.map(\.value), is: [[], [0]], "scanned values")
        let outcomes = try await storage.commit([
          StorageBatch(preconditions: [.absent([1])]),
          StorageBatch(preconditions: [.equals([1], [])]),
          StorageBatch(preconditions: [.equals([3], [])]),
        ])
        try trial.expect(
          outcomes, is: [.refused(key: [1]), .committed, .refused(key: [3])], "outcomes")
      }
    },
    StorageConformanceCase("big values come back whole") { trial in
      var random = SeededRandom(seed: 1)
      // A period that fits no page size, so that exchanged pages would show.
      let piece = (0..<997).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      let big = Array(repeating: piece, count: (2 << 20) / 997 + 1).flatMap(\.self)
      try await trial.open { storage in
        try await storage.put([([1], big), ([2], [2]), ([3], Array(big.reversed()))])
        let value = try await storage.read([1])
        try trial.expect(value == big, "a value of 2 MiB came back different")
        try await storage.put([([1], Array(big.prefix(1 << 20)))])
        let entries = try await storage.scan(StorageScan(.all)).entries
        try trial.expect(entries.map(\.value.count), is: [1 << 20, 1, big.count], "sizes")
        let isSame = entries.first?.value.elementsEqual(big.prefix(1 << 20)) == true
        try trial.expect(isSame, "a value that shrank came back different")
      }
    },
    StorageConformanceCase("keys and values are any bytes") { trial in
      let keys = (0...255).map { [UInt8($0)] } + (0...255).map { [0, UInt8($0), 0xFF] }
      try await trial.open { storage in
        try await storage.put(keys.map { ($0, $0.reversed()) })
        let values = try await storage.read(keys)
        try trial.expect(values, is: keys.map { $0.reversed() }, "values")
        let count = try await storage.scan(StorageScan(.all)).entries.count
        try trial.expect(count, is: keys.count, "entries")
      }
    },
    StorageConformanceCase("keys of 448 bytes are accepted") { trial in
      try await trial.open { storage in
        try trial.expect(storage.capabilities.maximumKeyLength >= 448, "maximumKeyLength is below 448")
        let keys = [UInt8(1), 2].map { [UInt8](repeating: 0xFF, count: 447) + [$0] }
        try await storage.put(keys.map { ($0, $0) })
        let values = try await storage.read(keys)
        try trial.expect(values, is: keys, "values")
      }
    },
    StorageConformanceCase("a key that is too long is refused before anything is written") { trial in
      try await trial.open { storage in
        let longest = storage.capabilities.maximumKeyLength
        guard longest != .max else { return }
        let fits = [UInt8](repeating: 1, count: longest)
        let tooLong = fits + [1]
        try await storage.put([(fits, [1])])
        try await trial.expect(.keyTooLong, from: "a put with an overlong key") {
          try await storage.put([([2], [2]), (tooLong, [3])])
        }
        let values = try await storage.read([fits, [2], tooLong])
        try trial.expect(values, is: [[1], nil, nil], "values")
        let outcome = try await storage.commit(
          StorageBatch(preconditions: [.absent(tooLong)], writes: [.delete(tooLong), .put([4], [4])]))
        try trial.expect(outcome, is: .committed, "an overlong key that is only looked at")
      }
    },
    StorageConformanceCase("answers come in the order of the questions") { trial in
      try await trial.open { storage in
        try await storage.put([([1], [10]), ([2], [20]), ([3], [30])])
        let snapshot = try await storage.read(
          StorageQuery(
            keys: [[3], [9], [1], [3]],
            scans: [
              StorageScan(KeyRange(from: [2], to: nil)), StorageScan(.all, limit: 1),
              StorageScan(KeyRange(prefix: [8])),
            ]))
        try trial.expect(snapshot.values, is: [[30], nil, [10], [30]], "values")
        try trial.expect(
          snapshot.scans.map { $0.entries.map(\.key) }, is: [[[2], [3]], [[1]], []], "scans")
        let nothing = try await storage.read(StorageQuery())
        try trial.expect(nothing, is: StorageSnapshot(), "the answer to no question")
      }
    },
  ]
}
