internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP2
internal import NIOSSL
internal import NIOTLS

/// A connection over TLS, as HTTP/2 where the client knows it and as HTTP/1.1 where not (ALPN, RFC 7301).
struct TLSConnection: ServerChildChannel {
  typealias Negotiated = NIONegotiatedHTTPVersion<HTTP1Connection.Value, HTTP2Connection.Value>

  struct Value: ServerChildChannelValue {
    let negotiated: EventLoopFuture<Negotiated>
    let channel: any Channel
  }

  let identity: TLSIdentity
  let http1: HTTP1Connection
  let http2: HTTP2Connection

  /// How long the handshake may take.
  private static let handshakeTime = TimeAmount.seconds(15)

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    channel.eventLoop.makeCompletedFuture {
      try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: identity.context))
    }.flatMap {
      channel.configureHTTP2AsyncSecureUpgrade(
        http1ConnectionInitializer: { http1.setup(channel: $0, logger: logger) },
        http2ConnectionInitializer: { http2.setup(channel: $0, logger: logger) })
    }.map { negotiated in
      let deadline = channel.eventLoop.scheduleTask(in: Self.handshakeTime) { channel.close(promise: nil) }
      negotiated.whenComplete { _ in deadline.cancel() }
      return Value(negotiated: negotiated, channel: channel)
    }
  }

  func handle(value: Value, logger: Logger) async {
    do {
      switch try await value.negotiated.get() {
      case .http1_1(let connection): await http1.handle(value: connection, logger: logger)
      case .http2(let connection): await http2.handle(value: connection, logger: logger)
      }
    } catch {
      logger.debug("A TLS handshake failed.", metadata: ["error": "\(error)"])
    }
  }
}
