internal import HTTPTypes
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP2
internal import NIOHTTPTypes
internal import NIOHTTPTypesHTTP2

/// A connection as HTTP/2 (RFC 9113): a stream for each request, with bounds on what a client may send.
///
/// NIO itself ends connections that flood it with resets, settings, pings, continuations or empty frames, and those whose
/// head, the URL included, has more than 16 KiB.
struct HTTP2Connection: ServerChildChannel {
  typealias Stream = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

  struct Value: ServerChildChannelValue {
    let streams: NIOHTTP2Handler.AsyncStreamMultiplexer<Stream>
    let channel: any Channel
  }

  let responder: HTTPChannelHandler.Responder
  let idleTimeout: Duration
  let limits: ServerLimits

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    channel.eventLoop.makeCompletedFuture {
      let management = NIOHTTP2ServerConnectionManagementHandler.Configuration(
        maxIdleTime: TimeAmount(idleTimeout), maxAge: nil, maxGraceTime: nil,
        keepalive: .init(pingInterval: TimeAmount(idleTimeout), ackTimeout: TimeAmount(idleTimeout)))
      let streams = try channel.pipeline.syncOperations.configureAsyncHTTP2Pipeline(
        mode: .server, connectionManagerConfiguration: management
      ) { stream in
        stream.eventLoop.makeCompletedFuture {
          let pipeline = stream.pipeline.syncOperations
          try pipeline.addHandler(HTTP2FramePayloadToHTTPServerCodec())
          try pipeline.addHandler(BodyWatch(limits))
          try pipeline.addHandler(HTTPConnectionStateHandler(idleTimeout: idleTimeout, logger: logger))
          return try Stream(wrappingChannelSynchronously: stream)
        }
      }
      try channel.pipeline.syncOperations.addHandler(ConnectionCloser())
      return Value(streams: streams, channel: channel)
    }
  }

  func handle(value: Value, logger: Logger) async {
    let stream = StreamHandler(responder: responder)
    do {
      try await withThrowingDiscardingTaskGroup { group in
        for try await channel in value.streams.inbound {
          group.addTask { await stream.handleHTTP(asyncChannel: channel, logger: logger) }
        }
      }
    } catch {
      logger.debug("An HTTP/2 connection broke off.", metadata: ["error": "\(error)"])
    }
  }
}

/// What Hummingbird needs to answer the one request of a stream.
private struct StreamHandler: HTTPChannelHandler {
  typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

  let responder: HTTPChannelHandler.Responder

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    channel.eventLoop.makeCompletedFuture { try Value(wrappingChannelSynchronously: channel) }
  }

  func handle(value: Value, logger: Logger) async { await handleHTTP(asyncChannel: value, logger: logger) }
}

/// Closes a connection on which something went wrong that concerns all of it, which NIO has told the client by then, or whose
/// client has gone: HTTP/2 has no use for one that only listens.
private final class ConnectionCloser: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed? = event as? ChannelEvent { context.close(promise: nil) }
    context.fireUserInboundEventTriggered(event)
  }
}
