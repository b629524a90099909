/// Rewrites values from one encoding into another, token by token.
enum Transcoding {
  /// Copies one complete top-level value into a sink.
  static func copy<Sink: EncodingSink & ~Copyable>(
    _ bytes: [UInt8], _ format: TransitFormat, into sink: inout Sink, levels: Int
  ) throws(TransitError) {
    let result: Result<Void, TransitError> = bytes.withUnsafeBufferPointer { buffer in
      do throws(TransitError) {
        if format == .msgpack {
          try Relay<MessagePackSource, Sink>.copyAll(buffer, into: &sink, levels: levels)
        } else {
          try Relay<JSONSource, Sink>.copyAll(buffer, into: &sink, levels: levels)
        }
        return .success(())
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  /// Moves a sink that lives elsewhere through a parser and back.
  enum Relay<Source: TokenSource, Sink: TokenSink & ~Copyable> {
    static func copyAll(
      _ bytes: UnsafeBufferPointer<UInt8>, into sink: inout Sink, levels: Int
    ) throws(TransitError) {
      var source = Source(bytes, position: 0)
      var cache = ReadCache()
      try copyOne(bytes, &source, &cache, into: &sink, levels: levels)
      source.skipPadding()
      if source.position < bytes.count {
        throw TransitError(.trailingBytes, "more bytes follow the value", offset: source.position)
      }
    }

    /// Copies the next value of a source.
    static func copyOne(
      _ bytes: UnsafeBufferPointer<UInt8>, _ source: inout Source, _ cache: inout ReadCache,
      into sink: inout Sink, levels: Int
    ) throws(TransitError) {
      // The parser owns the sink while it runs, and gives it back whatever happens.
      var parser = Parser<Source, Sink>(
        bytes, at: source.position, cache: cache.take(), sink: sink, levels: levels)
      let failure: TransitError?
      do throws(TransitError) {
        try parser.value()
        failure = nil
      } catch {
        failure = error
      }
      source = parser.source
      cache = parser.cache
      sink = parser.sink
      if let failure { throw failure }
    }
  }
}

/// Rewrites one value from one encoding into another, token by token, without building it. O(n).
///
/// The result is what decoding and encoding would give, except that keys which come twice in one map stay.
///
/// - Parameters:
///   - bytes: exactly one top-level value.
///   - source: its encoding.
///   - target: the encoding wanted. The same one normalizes: it removes white space and renews the cache codes.
///   - limits: how deep values may nest.
/// - Returns: one standalone top-level value.
public func transcode(
  _ bytes: [UInt8], from source: TransitFormat, to target: TransitFormat, limits: TransitLimits = .standard
) throws(TransitError) -> [UInt8] {
  if target == .msgpack {
    var sink = MessagePackSink(capacity: bytes.count, limit: limits.bytes)
    try Transcoding.copy(bytes, source, into: &sink, levels: limits.depth)
    return sink.takeTopLevel()
  }
  var sink = JSONSink(verbose: target == .verboseJSON, capacity: bytes.count, limit: limits.bytes)
  try Transcoding.copy(bytes, source, into: &sink, levels: limits.depth)
  return sink.takeTopLevel()
}
