internal import HTTPTypes
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes
internal import NIOHTTPTypesHTTP1

/// A connection as HTTP/1.1: Hummingbird's own, with bounds on what a client may send.
struct HTTP1Connection: ServerChildChannel, HTTPChannelHandler {
  typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

  let responder: HTTPChannelHandler.Responder
  let idleTimeout: Duration
  let limits: ServerLimits
  var isSecure = false

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    channel.eventLoop.makeCompletedFuture {
      let pipeline = channel.pipeline.syncOperations
      let decoder = makeDecoder()
      try pipeline.addHandlers([HTTPResponseEncoder(), decoder])
      try pipeline.addHandler(RequestGuard(limits, decoder, makeDecoder: makeDecoder))
      try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: isSecure))
      try pipeline.addHandler(BodyWatch(limits))
      try pipeline.addHandler(HTTPConnectionStateHandler(idleTimeout: idleTimeout, logger: logger))
      return try NIOAsyncChannel(
        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
    }
  }

  func handle(value: Value, logger: Logger) async { await handleHTTP(asyncChannel: value, logger: logger) }

  /// Makes the generic types of a connection known to the Swift runtime, on one thread. Two event loops that ask for one of them
  /// for the first time at one moment can end the process (Swift 6.3.1: once in some 300 starts under load).
  func prepareTypes() {
    let types: [Any.Type] = [
      Value.self, NIOAsyncChannelInboundStream<HTTPRequestPart>.self,
      NIOAsyncChannelOutboundWriter<HTTPResponsePart>.self, EventLoopFuture<Value>.self,
    ]
    withExtendedLifetime((types, makeDecoder())) {}
  }

  private func makeDecoder() -> ByteToMessageHandler<HTTPRequestDecoder> {
    var bounds = NIOHTTPDecoderLimitConfiguration()
    // The URL counts as a field; the others are looked at by the guard.
    bounds.maxHeaderFieldSize = limits.headBytes
    bounds.maxHeaderListSize = limits.headBytes
    bounds.maxHeaderFieldCount = 100
    return ByteToMessageHandler(
      HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: bounds))
  }
}
