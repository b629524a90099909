internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import ServiceLifecycle

/// Listens at an address and has requests answered, until it is shut down.
package struct HTTPListener: Sendable {
  let host: String
  let port: Int
  let settings: ConnectionSettings
  let identity: TLSIdentity?

  /// How long connections may take to end.
  private static let drainTime = TimeAmount.seconds(10)

  init(host: String, port: Int, _ settings: ConnectionSettings, _ identity: TLSIdentity?) {
    self.host = host
    self.port = port
    self.settings = settings
    self.identity = identity
  }

  /// A listener for a few requests, by plain HTTP/1.1.
  package init(
    host: String, port: Int, respond: @escaping @Sendable (EndpointRequest) async -> EndpointResponse
  ) {
    let settings = ConnectionSettings(limits: ServerLimits(), idleTimeout: .seconds(75), respond: respond)
    self.init(host: host, port: port, settings, nil)
  }

  /// Serves until a graceful shutdown is triggered or the task is cancelled. Then it takes no new connections and finishes the
  /// requests in hand.
  ///
  /// - Parameter onBound: told the port that it listens at.
  /// - Throws: what kept it from listening.
  package func run(onBound: @Sendable (Int) -> Void = { _ in }) async throws {
    let connections = OpenConnections(
      most: min(settings.limits.connections, Descriptors.connections),
      perAddress: settings.limits.connectionsPerAddress)
    let listener = try await bind(connections)
    if let port = listener.localAddress?.port { onBound(port) }
    try await withTaskCancellationHandler {
      try await withGracefulShutdownHandler {
        try await listener.closeFuture.get()
      } onGracefulShutdown: {
        listener.close(promise: nil)
      }
    } onCancel: {
      listener.close(promise: nil)
    }
    try await connections.drain(on: listener.eventLoop, within: Self.drainTime)
  }

  private func bind(_ connections: OpenConnections) async throws -> any Channel {
    let configure = configuration
    return try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(ChannelOptions.backlog, value: 1024)
      .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
      // One at a time, so that never more are accepted than there may be.
      .serverChannelOption(ChannelOptions.maxMessagesPerRead, value: 1)
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(AcceptGate(connections))
        }
      }
      .childChannelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
      .childChannelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try connections.enter(channel)
          try configure(channel)
        }
      }
      .bind(host: host, port: port).get()
  }

  /// How a connection is made, over TLS or not.
  private var configuration: @Sendable (any Channel) throws -> Void {
    let http1 = HTTP1Connection(settings: settings, isSecure: identity != nil)
    http1.prepareTypes()
    guard let identity else { return http1.configure }
    let tls = TLSConnection(identity: identity, http1: http1, http2: HTTP2Connection(settings: settings))
    return tls.configure
  }
}
