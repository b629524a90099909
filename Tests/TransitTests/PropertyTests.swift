import Testing
import Transit

/// What holds for every value, tried on many.
@Suite("Properties")
struct PropertyTests {
  @Test("Any value survives every encoding, and EDN", arguments: 0..<8)
  func roundTrips(seed: UInt64) throws {
    var values = RandomValues(seed: seed)
    for _ in 0..<60 {
      let value = values.value()
      for format in TransitFormat.allCases {
        let bytes = try value.transit(format)
        let back = try TransitValue(transit: bytes, format: format)
        try #require(back == value, "\(format): \(value) became \(back)")
        try #require(back.hashValue == value.hashValue)
        // What was written once is written the same again: the order of maps and sets is kept.
        try #require(try back.transit(format) == bytes)
      }
      try #require(try TransitValue(edn: value.description) == value, "EDN: \(value)")
    }
  }

  @Test("Transcoding equals decoding and encoding", arguments: 0..<8)
  func transcoding(seed: UInt64) throws {
    var values = RandomValues(seed: 1000 + seed)
    for _ in 0..<30 {
      let value = values.value()
      for source in TransitFormat.allCases {
        let bytes = try value.transit(source)
        for target in TransitFormat.allCases {
          try #require(try transcode(bytes, from: source, to: target) == value.transit(target), "\(value)")
        }
      }
    }
  }

  @Test("Maps and sets compare without order", arguments: 0..<4)
  func order(seed: UInt64) {
    var values = RandomValues(seed: 2000 + seed)
    for _ in 0..<40 {
      let entries = (0..<values.int(0...40)).map { _ in (key: values.value(1), value: values.scalar()) }
      let map = TransitMap(entries)
      let reversed = TransitMap(map.reversed())
      #expect(map == reversed)
      #expect(map.hashValue == reversed.hashValue)
      let set = TransitSet(entries.map(\.key))
      #expect(set == TransitSet(set.reversed()))
      #expect(set.count == map.count)
    }
  }

  @Test("Mutated bytes are read right or refused", arguments: [TransitFormat.json, .msgpack])
  func mutations(format: TransitFormat) throws {
    var values = RandomValues(seed: 77)
    let clock = ContinuousClock()
    let end = clock.now + .seconds(2)
    var refused = 0
    while clock.now < end {
      var bytes = try values.value().transit(format)
      if bytes.count > 2000 { continue }
      for _ in 0..<20 {
        for _ in 0..<values.int(1...3) where !bytes.isEmpty {
          let position = values.int(0...bytes.count - 1)
          switch values.int(0...3) {
          case 0: bytes[position] = UInt8(values.int(0...255))
          case 1: bytes[position] ^= 1 << UInt8(values.int(0...7))
          case 2: bytes.remove(at: position)
          default:
            bytes.insert(
              contentsOf: bytes[position..<min(bytes.count, position + values.int(1...8))], at: position)
          }
        }
        guard let value = try? TransitValue(transit: bytes, format: format) else {
          refused += 1
          for target in TransitFormat.allCases {
            #expect(throws: TransitError.self) { try transcode(bytes, from: format, to: target) }
          }
          continue
        }
        let again = try value.transit(format)
        #expect(try TransitValue(transit: again, format: format) == value)
        let other: TransitFormat = format == .json ? .msgpack : .json
        let moved = try transcode(bytes, from: format, to: other)
        #expect(try TransitValue(transit: moved, format: other) == value)
      }
    }
    #expect(refused > 100)
  }
}
