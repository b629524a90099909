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
    let deadline = channel.eventLoop.scheduleTask(in: Self.handshakeTime) { channel.close(promise: nil) }
    let negotiation = ApplicationProtocolNegotiationHandler { result, channel in
      deadline.cancel()
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
    // For as long as there is no other to do it.
    try pipeline.addHandler(HandshakeCloser())
  }
}

/// Closes a connection whose handshake failed.
private final class HandshakeCloser: ChannelInboundHandler {
  typealias InboundIn = NIOAny

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
