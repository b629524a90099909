import Transit

/// What must hold for any input at all.
///
/// A failure ends the process: that is how libFuzzer is told of a finding, and keeps the input. No other code runs this.
enum Properties {
  static func check(_ condition: Bool, _ message: @autoclosure () -> String) {
    if !condition { fail(message()) }
  }

  static func fail(_ message: String) -> Never { fatalError(message) }

  /// A value that was read from somewhere must survive every encoding.
  static func survives(_ value: TransitValue) {
    for format in TransitFormat.allCases {
      let bytes: [UInt8]
      do {
        bytes = try value.transit(format)
      } catch {
        // Other forms may need a level or two more than the one that was read.
        check(error.code == .tooDeep, "cannot write what was read: \(error) \(value)")
        continue
      }
      do {
        let back = try TransitValue(transit: bytes, format: format)
        check(back == value, "\(format) changed a value: \(value) to \(back)")
        check(back.hashValue == value.hashValue, "\(format) changed a hash: \(value)")
      } catch {
        fail("cannot read what was written in \(format): \(error) \(value)")
      }
    }
    do {
      let back = try TransitValue(edn: value.description)
      check(back == value, "EDN changed a value: \(value) to \(back)")
    } catch {
      check(error.code == .tooDeep, "cannot read printed EDN: \(error) \(value)")
    }
  }

  /// Reading, skipping, stepping and transcoding must agree on what is valid.
  static func agrees(
    _ bytes: [UInt8], _ format: TransitFormat, _ targets: [TransitFormat] = TransitFormat.allCases
  ) {
    let value = try? TransitValue(transit: bytes, format: format)
    for target in targets {
      do {
        let rewritten = try transcode(bytes, from: format, to: target)
        guard let value else { fail("transcoding to \(target) took what reading refuses") }
        let back = try TransitValue(transit: rewritten, format: target)
        check(back == value, "transcoding to \(target) changed a value: \(value) to \(back)")
      } catch {
        check(
          value == nil || error.code == .tooDeep,
          "transcoding to \(target) refused what reading takes: \(error)")
      }
    }
    var reader = TransitReader(bytes, format: format)
    do {
      try reader.skipValue()
      try reader.finish()
      check(value != nil, "skipping took what reading refuses")
    } catch {
      check(value == nil, "skipping refused what reading takes: \(error)")
    }
    steps(bytes, format, value)
  }

  /// Steps through the outermost level by hand.
  private static func steps(_ bytes: [UInt8], _ format: TransitFormat, _ value: TransitValue?) {
    var reader = TransitReader(bytes, format: format)
    do {
      switch value {
      case .map(let map)?:
        var read = TransitMap()
        try reader.beginMap()
        while let key = try reader.nextKey() { read[key] = try reader.readValue() }
        try reader.finish()
        check(read == map, "stepping through a map changed it: \(map) to \(read)")
      case .array(let items)?:
        var read: [TransitValue] = []
        try reader.beginArray()
        while try reader.hasNextElement() { read.append(try reader.readValue()) }
        try reader.finish()
        check(read == items, "stepping through an array changed it")
      case nil:
        try reader.beginMap()
        while try reader.nextKey() != nil { try reader.skipValue() }
        try reader.finish()
      default: break
      }
    } catch {
      // A quoted composite is a value to read whole, not to enter.
      check(value == nil || error.code == .typeMismatch, "stepping refused what reading takes: \(error)")
    }
  }
}
