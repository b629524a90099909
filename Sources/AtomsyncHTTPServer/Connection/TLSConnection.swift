internal import NIOCore
internal import NIOSSL
internal import NIOTLS

/// A connection over TLS, as HTTP/2 where the client knows it and as HTTP/1.1 where not (ALPN, RFC 7301).
struct TLSConnection: Sendable {
  let identity: TLSIdentity
  let http1: HTTP1Connection
  let http2: HTTP2Connection

  /// How long the handshake may take.
  private static let handshakeTime = TimeAmount.seconds(15)

  /// On the channel's event loop.
  func configure(_ channel: any Channel) throws {
    let closer = HandshakeCloser()
    let bound = NIOLoopBound(closer, eventLoop: channel.eventLoop)
    let deadline = channel.eventLoop.scheduleTask(in: Self.handshakeTime) { channel.close(promise: nil) }
    let negotiation = ApplicationProtocolNegotiationHandler { result, channel in
      deadline.cancel()
      bound.value.isDone = true
      return channel.eventLoop.makeCompletedFuture {
        if case .negotiated("h2") = result {
          try http2.configure(channel)
        } else {
          try http1.configure(channel)
        }
      }
    }
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandler(NIOSSLServerHandler(context: identity.context))
    try pipeline.addHandler(negotiation)
    try pipeline.addHandler(closer)
    channel.closeFuture.whenComplete { _ in deadline.cancel() }
  }

  /// Without waiting for the client to say that it ends as well.
  static func closeAtOnce(_ channel: any Channel) {
    channel.eventLoop.execute {
      let tls = try? channel.pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self)
      if let tls { tls.close(promise: nil) } else { channel.close(promise: nil) }
    }
  }
}

/// Closes a connection whose handshake failed, or was not done when the server shut down.
private final class HandshakeCloser: ChannelInboundHandler {
  typealias InboundIn = NIOAny

  /// From then on there are others to do it.
  var isDone = false

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if isDone { context.fireErrorCaught(error) } else { context.close(promise: nil) }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if !isDone, event is ChannelShouldQuiesceEvent { context.close(promise: nil) }
    context.fireUserInboundEventTriggered(event)
  }
}
