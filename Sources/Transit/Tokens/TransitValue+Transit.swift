extension TransitValue {
  /// Decodes exactly one value. O(n).
  ///
  /// Of keys that come twice in a map the last value counts, as in every other Transit; white space around JSON is
  /// allowed, other trailing bytes are not. Scalars at the top may be quoted or not.
  ///
  /// - Parameters:
  ///   - bytes: one top-level value.
  ///   - format: their encoding. Both JSON formats read either.
  ///   - limits: how deep values may nest.
  /// - Throws: ``TransitError`` for anything that is not valid Transit.
  public init(
    transit bytes: [UInt8], format: TransitFormat, limits: TransitLimits = .standard
  ) throws(TransitError) {
    let result: Result<TransitValue, TransitError> = bytes.withUnsafeBufferPointer { buffer in
      do throws(TransitError) {
        return .success(try TransitValue(buffer, format, limits))
      } catch {
        return .failure(error)
      }
    }
    self = try result.get()
  }

  init(_ buffer: UnsafeBufferPointer<UInt8>, _ format: TransitFormat, _ limits: TransitLimits)
    throws(TransitError)
  {
    if format == .msgpack {
      self = try Self.decode(buffer, limits, MessagePackSource.self)
    } else {
      self = try Self.decode(buffer, limits, JSONSource.self)
    }
  }

  private static func decode<Source: TokenSource>(
    _ buffer: UnsafeBufferPointer<UInt8>, _ limits: TransitLimits, _ type: Source.Type
  ) throws(TransitError) -> TransitValue {
    var parser = Parser<Source, ValueSink>(
      buffer, at: 0, cache: ReadCache(), sink: ValueSink(), levels: limits.depth)
    try parser.value()
    parser.source.skipPadding()
    if parser.source.position < buffer.count {
      throw TransitError(.trailingBytes, "more bytes follow the value", offset: parser.source.position)
    }
    return parser.sink.stack.pop()
  }

  /// Encodes the value as one top-level value. O(n).
  ///
  /// - Parameters:
  ///   - format: the encoding wanted.
  ///   - limits: how deep values may nest.
  /// - Throws: `tooDeep`, and `unencodable` for keywords, symbols and tags without a name.
  public func transit(_ format: TransitFormat, limits: TransitLimits = .standard) throws(TransitError)
    -> [UInt8]
  {
    if format == .msgpack {
      var sink = MessagePackSink(capacity: 256, limit: limits.bytes)
      try sink.write(self, key: false, levels: limits.depth)
      return sink.takeTopLevel()
    }
    var sink = JSONSink(verbose: format == .verboseJSON, capacity: 256, limit: limits.bytes)
    try sink.write(self, key: false, levels: limits.depth)
    return sink.takeTopLevel()
  }
}
