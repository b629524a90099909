internal import AtomsyncCore

extension StorageConformanceCase {
  static let order: [StorageConformanceCase] = [
    StorageConformanceCase("keys order as unsigned bytes, shorter first") { trial in
      let keys: [[UInt8]] = [
        [0], [0, 0], [0, 1], [1], [0x7F], [0x7F, 0xFF], [0x80], [0x80, 0], [0xFE, 0xFF], [0xFF],
        [0xFF, 0xFF],
      ]
      try await trial.open { storage in
        try await storage.put(keys.reversed().map { ($0, $0) })
        let all = try await storage.scan(StorageScan(.all))
        try trial.expect(all.entries.map(\.key), is: keys, "all keys")
        try trial.expect(all.isComplete, is: true, "isComplete of a whole scan")
        let back = try await storage.scan(StorageScan(.all, reverse: true))
        try trial.expect(back.entries.map(\.key), is: keys.reversed(), "all keys in reverse")
      }
    },
    StorageConformanceCase("a range has its lower bound and not its upper") { trial in
      let keys = ["a", "b", "ba", "bb", "c", "d"].map(bytes)
      let ranges: [KeyRange] = [
        .all, KeyRange(from: bytes("b"), to: bytes("c")), KeyRange(prefix: bytes("b")),
        KeyRange(from: bytes("bb"), to: nil), KeyRange(from: [], to: bytes("b")),
        KeyRange(from: bytes("b0"), to: bytes("bz")), KeyRange(from: bytes("c"), to: bytes("b")),
        KeyRange(from: bytes("b"), to: bytes("b")), KeyRange(from: bytes("x"), to: nil),
        KeyRange(from: [], to: bytes("a")), KeyRange(from: [], to: []),
        // Bounds may be longer than any key.
        KeyRange(from: bytes("b") + [UInt8](repeating: 0xFF, count: 2_000), to: nil),
        KeyRange(from: [], to: bytes("b") + [UInt8](repeating: 0, count: 2_000)),
      ]
      try await trial.open { storage in
        try await storage.put(keys.map { ($0, $0) })
        for range in ranges {
          let expected = keys.filter(range.contains)
          for reverse in [false, true] {
            let found = try await storage.scan(StorageScan(range, reverse: reverse))
            try trial.expect(
              found.entries.map(\.key), is: reverse ? expected.reversed() : expected,
              "keys of \(range), reverse \(reverse)")
            try trial.expect(found.isComplete, is: true, "isComplete of \(range)")
          }
        }
      }
    },
    StorageConformanceCase("a bound as long as the longest key is a bound") { trial in
      try await trial.open { storage in
        let longest = min(storage.capabilities.maximumKeyLength, 600)
        let key = [UInt8](repeating: 7, count: longest)
        try await storage.put([(key, [1])])
        let above = KeyRange(from: key + [0], to: nil)
        let below = KeyRange(from: [], to: key + [0])
        for reverse in [false, true] {
          let none = try await storage.scan(StorageScan(above, reverse: reverse)).entries
          try trial.expect(none.count, is: 0, "entries above, reverse \(reverse)")
          let one = try await storage.scan(StorageScan(below, reverse: reverse)).entries
          try trial.expect(one.map(\.key), is: [key], "keys below, reverse \(reverse)")
        }
      }
    },
    StorageConformanceCase("limits end a scan and say so") { trial in
      let keys = (1...5).map { [UInt8($0)] }
      try await trial.open { storage in
        try await storage.put(keys.map { ($0, [UInt8](repeating: 9, count: 10)) })
        func scan(_ limit: Int, _ byteLimit: Int, _ expected: [Int], _ isComplete: Bool) async throws {
          for reverse in [false, true] {
            let found = try await storage.scan(
              StorageScan(.all, limit: limit, byteLimit: byteLimit, reverse: reverse))
            let what = "of limit \(limit), byteLimit \(byteLimit), reverse \(reverse)"
            let wanted = expected.map { reverse ? [UInt8(6 - $0)] : [UInt8($0)] }
            try trial.expect(found.entries.map(\.key), is: wanted, "keys \(what)")
            try trial.expect(found.isComplete, is: isComplete, "isComplete \(what)")
          }
        }
        try await scan(3, .max, [1, 2, 3], false)
        try await scan(5, .max, [1, 2, 3, 4, 5], true)
        try await scan(6, .max, [1, 2, 3, 4, 5], true)
        try await scan(0, .max, [], false)
        try await scan(.max, 0, [1], false)
        try await scan(.max, 10, [1], false)
        try await scan(.max, 11, [1, 2], false)
        try await scan(.max, 50, [1, 2, 3, 4, 5], true)
        try await scan(2, 11, [1, 2], false)
        let nothing = try await storage.scan(StorageScan(KeyRange(prefix: [9]), limit: 0))
        try trial.expect(nothing.isComplete, is: true, "isComplete of an empty range with limit 0")
      }
    },
  ]
}
