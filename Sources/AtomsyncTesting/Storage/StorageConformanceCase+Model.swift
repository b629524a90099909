internal import AtomsyncCore

extension StorageConformanceCase {
  static let model: [StorageConformanceCase] = (1...4).map { seed in
    StorageConformanceCase("a thousand random operations end as in the model, seed \(seed)") { trial in
      try await trial.open { storage in
        var random = SeededRandom(seed: UInt64(seed))
        var model = OrderedBytes()
        for step in 1...1_000 {
          if random.below(3) == 0 {
            let query = random.query()
            let found = try await storage.read(query)
            try trial.expect(found == model.read(query), "step \(step): another answer to \(query)")
          } else {
            let batches = (0...random.below(3)).map { _ in random.batch(model) }
            let expected = batches.map { model.apply($0) }
            let outcomes = try await storage.commit(batches)
            try trial.expect(outcomes, is: expected, "step \(step): outcomes of \(batches)")
          }
        }
        let all = StorageQuery(scans: [StorageScan(.all), StorageScan(.all, reverse: true)])
        let found = try await storage.read(all)
        try trial.expect(found == model.read(all), "other contents at the end")
      }
    }
  }
}

extension SeededRandom {
  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  /// From a small world, so that keys meet: of one to three bytes out of four kinds.
  mutating func key() -> [UInt8] { (0...below(3)).map { _ in [0x00, 0x01, 0x80, 0xFF][below(4)] } }

  mutating func value() -> [UInt8] {
    let length = below(20) == 0 ? below(20_000) : below(12)
    return [UInt8](repeating: UInt8(below(4)), count: length)
  }

  mutating func batch(_ model: OrderedBytes) -> StorageBatch {
    var batch = StorageBatch()
    for _ in 0..<below(3) {
      let key = key()
      // Mostly what is there, so that most batches pass.
      switch (below(5), model[key]) {
      case (0, _): batch.preconditions.append(.equals(key, value()))
      case (_, let value?): batch.preconditions.append(.equals(key, value))
      case (_, nil): batch.preconditions.append(.absent(key))
      }
    }
    for _ in 0..<below(6) {
      if below(3) == 0 { batch.delete(key()) } else { batch.put(key(), value()) }
    }
    return batch
  }

  mutating func query() -> StorageQuery {
    StorageQuery(
      keys: (0..<below(4)).map { _ in key() },
      scans: (0..<below(3)).map { _ in
        StorageScan(
          KeyRange(from: below(3) == 0 ? [] : key(), to: below(3) == 0 ? nil : key()),
          limit: below(2) == 0 ? .max : below(8), byteLimit: below(2) == 0 ? .max : below(40),
          reverse: below(2) == 0)
      })
  }
}
