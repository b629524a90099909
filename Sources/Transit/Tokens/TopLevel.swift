extension JSONSink {
  /// Quotes what was written if it is a scalar, returns it, and makes the sink ready for the next value.
  mutating func takeTopLevel() -> [UInt8] {
    if !isComposite {
      let prefix: StaticString = "[\"~#'\","
      let verbosePrefix: StaticString = "{\"~#'\":"
      let quote = verbose ? verbosePrefix : prefix
      output.open(gap: quote.utf8CodeUnitCount, at: 0)
      output.base.update(from: quote.utf8Start, count: quote.utf8CodeUnitCount)
      output.append(verbose ? "}" : "]")
    }
    defer {
      output.count = 0
      cache.reset()
      separator = 0
      isComposite = false
    }
    return output.bytes()
  }
}

extension MessagePackSink {
  /// Quotes what was written if it is a scalar, returns it, and makes the sink ready for the next value.
  mutating func takeTopLevel() -> [UInt8] {
    complete()
    if !isComposite {
      output.open(gap: 5, at: 0)
      output.base[0] = 0x92
      output.base[1] = 0xA3
      output.base[2] = UInt8(ascii: "~")
      output.base[3] = UInt8(ascii: "#")
      output.base[4] = UInt8(ascii: "'")
    }
    defer {
      output.count = 0
      cache.reset()
      isComposite = false
    }
    return output.bytes()
  }
}
