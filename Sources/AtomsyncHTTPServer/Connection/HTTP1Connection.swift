internal import NIOCore
internal import NIOHTTP1

/// A connection as HTTP/1.1 (RFC 9112), with bounds on what a client may send.
struct HTTP1Connection: Sendable {
  let settings: ConnectionSettings
  let isSecure: Bool

  /// On the channel's event loop.
  func configure(_ channel: any Channel) throws {
    let pipeline = channel.pipeline.syncOperations
    let decoder = makeDecoder()
    let chunks = ChunkOutput()
    try pipeline.addHandlers([chunks, HTTPResponseEncoder(), decoder])
    try pipeline.addHandler(
      RequestGuard(settings.limits, isSecure: isSecure, chunks, decoder, makeDecoder: makeDecoder))
    try pipeline.addHandler(BodyWatch(settings.limits))
    try pipeline.addHandler(settings.requestHandler(LoopExecutor(channel.eventLoop), chunks))
  }

  private func makeDecoder() -> ByteToMessageHandler<HTTPRequestDecoder> {
    var bounds = NIOHTTPDecoderLimitConfiguration()
    // The URL counts as a field; the others are looked at by the guard.
    bounds.maxHeaderFieldSize = settings.limits.headBytes
    bounds.maxHeaderListSize = settings.limits.headBytes
    bounds.maxHeaderFieldCount = 100
    return ByteToMessageHandler(
      HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: bounds))
  }

  /// Makes the generic types of a connection known to the Swift runtime, on one thread. Two event loops that ask for one of them
  /// for the first time at one moment can end the process (Swift 6.3.1: once in some 300 starts under load).
  func prepareTypes() { withExtendedLifetime(makeDecoder()) {} }
}
