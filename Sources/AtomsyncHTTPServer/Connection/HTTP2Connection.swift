internal import NIOCore
internal import NIOHTTP2
internal import NIOHTTPTypesHTTP2

/// A connection as HTTP/2 (RFC 9113): a stream for each request, with bounds on what a client may send.
///
/// NIO itself ends connections that flood it with resets, settings, pings, continuations or empty frames, and those whose
/// head, the URL included, has more than 16 KiB.
struct HTTP2Connection: Sendable {
  let settings: ConnectionSettings

  /// On the channel's event loop.
  func configure(_ channel: any Channel) throws {
    let executor = LoopExecutor(channel.eventLoop)
    let shutdown = ShutdownWatch()
    try channel.pipeline.syncOperations.addHandler(shutdown)
    let bound = NIOLoopBound(shutdown, eventLoop: channel.eventLoop)
    let idle = TimeAmount(settings.idleTimeout)
    let management = NIOHTTP2ServerConnectionManagementHandler.Configuration(
      maxIdleTime: idle, maxAge: nil, maxGraceTime: nil,
      keepalive: .init(pingInterval: idle, ackTimeout: idle))
    _ = try channel.pipeline.syncOperations.configureAsyncHTTP2Pipeline(
      mode: .server, connectionManagerConfiguration: management
    ) { [settings] stream in
      stream.eventLoop.makeCompletedFuture {
        let pipeline = stream.pipeline.syncOperations
        try pipeline.addHandler(HTTP2FramePayloadToHTTPServerCodec())
        try pipeline.addHandler(BodyWatch(settings.limits))
        try pipeline.addHandler(settings.requestHandler(executor, isQuiescing: bound.value.isQuiescing))
      }
    }
    try channel.pipeline.syncOperations.addHandler(ConnectionCloser())
  }
}

/// Remembers a shutdown for the streams that a client opens before it knows of it: NIO tells only those that are open already.
private final class ShutdownWatch: ChannelInboundHandler {
  typealias InboundIn = NIOAny

  private(set) var isQuiescing = false

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is ChannelShouldQuiesceEvent { isQuiescing = true }
    context.fireUserInboundEventTriggered(event)
  }
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
