public import AtomsyncCore
public import AtomsyncEngine
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOPosix
public import ServiceLifecycle

/// Serves an ``Atomsync/Authority`` over HTTP, as a service of a `ServiceGroup`.
///
/// ```swift
/// let authority = try await Authority.open(AtomsyncConfiguration(storage: .sqlite("atomsync.db")))
/// let server = try SyncServer(authority, configuration: HTTPServerConfiguration())
/// try await ServiceGroup(services: [server], gracefulShutdownSignals: [.sigterm], logger: logger).run()
/// await authority.close()
/// ```
///
/// ## Behavior
/// - ``run()`` serves until a graceful shutdown is triggered or its task is cancelled. Then it takes no new connections,
///   finishes the requests in hand and ends live streams in good order, for ten seconds at most.
/// - It runs once.
public final class SyncServer: Service, Sendable {
  public let endpoint: SyncEndpoint
  private let configuration: HTTPServerConfiguration
  private let identity: TLSIdentity?
  private let port = Promise<Int>()

  /// - Parameters:
  ///   - authority: stays the caller's to close, after ``run()`` returned.
  ///   - codecs: beside Transit's three, which are always spoken.
  /// - Throws: ``HTTPServerError`` for a configuration that cannot be, that would serve the network without users, or
  ///   whose certificate cannot be used.
  public init(
    _ authority: Authority, configuration: HTTPServerConfiguration = HTTPServerConfiguration(),
    codecs: [any Codec] = []
  ) throws(HTTPServerError) {
    self.endpoint = try SyncEndpoint(authority, configuration: configuration, codecs: codecs)
    self.configuration = configuration
    self.identity = try configuration.tls.map { files throws(HTTPServerError) in try TLSIdentity(files) }
  }

  /// Reads the certificate and its key again, without waiting until it is seen that they have changed. Connections that
  /// stand keep theirs.
  ///
  /// - Throws: ``HTTPServerError``: they cannot be used, and stay as they were.
  public func reloadCertificate() throws(HTTPServerError) { try identity?.reload() }

  /// The port that it listens at. Waits until it does.
  ///
  /// - Throws: ``HTTPServerError`` when it could not, `CancellationError` when it ended before.
  public func boundPort() async throws -> Int { try await port.wait() }

  /// - Throws: ``HTTPServerError`` when it cannot listen.
  public func run() async throws {
    // Hummingbird's own word on starting and on each connection is of interest only when something is wrong.
    var quiet = configuration.logger
    quiet.logLevel = max(quiet.logLevel, .warning)
    let port = port
    let connections = min(configuration.serverLimits.connections, Descriptors.connections)
    let application = Application(
      responder: SyncResponder(endpoint: endpoint),
      server: connectionBuilder,
      configuration: ApplicationConfiguration(
        address: .hostname(configuration.host, port: configuration.port), serverName: nil,
        backlog: 1024, availableConnectionsDelegate: .maximum(connections, logger: quiet)),
      onServerRunning: { channel in
        if let number = channel.localAddress?.port { port.complete(.success(number)) }
      },
      logger: quiet)
    do {
      try await withThrowingTaskGroup(of: Void.self) { group in
        if let identity { group.addTask { [configuration] in await identity.follow(configuration.logger) } }
        try await Self.run(application, quiet)
        group.cancelAll()
      }
      port.complete(.failure(CancellationError()))
    } catch {
      let error = HTTPServerError(listening: error, configuration)
      port.complete(.failure(error))
      throw error
    }
  }

  /// Runs until a graceful shutdown, which a cancellation becomes as well: a connection that Hummingbird has accepted and not yet
  /// begun to serve ends the process when its server is cancelled (swift-nio 2.101, `NIOAsyncWriter.deinit`).
  private static func run(_ application: some Service, _ logger: Logger) async throws {
    var configuration = ServiceGroupConfiguration(services: [application], logger: logger)
    configuration.maximumGracefulShutdownDuration = .seconds(10)
    let services = ServiceGroup(configuration: configuration)
    let serving = Task { try await services.run() }
    try await withTaskCancellationHandler {
      try await serving.value
    } onCancel: {
      Task { await services.triggerGracefulShutdown() }
    }
  }

  /// How connections are made: counted by address, over TLS or not.
  private var connectionBuilder: HTTPServerBuilder {
    let (limits, idleTimeout) = (configuration.serverLimits, configuration.idleTimeout)
    let quota = Quota(total: .max, perHolder: limits.connectionsPerAddress)
    return HTTPServerBuilder { [identity] responder in
      var http1 = HTTP1Connection(responder: responder, idleTimeout: idleTimeout, limits: limits)
      http1.prepareTypes()
      guard let identity else { return BoundedConnection(base: http1, quota: quota) }
      http1.isSecure = true
      let http2 = HTTP2Connection(responder: responder, idleTimeout: idleTimeout, limits: limits)
      return BoundedConnection(
        base: TLSConnection(identity: identity, http1: http1, http2: http2), quota: quota)
    }
  }

  /// Finds out whether the configuration's address can be listened at, without serving: a server that looks before
  /// it opens its store leaves nothing behind when it cannot start.
  ///
  /// - Throws: ``HTTPServerError``.
  public static func checkAddress(_ configuration: HTTPServerConfiguration) async throws {
    try configuration.validate()
    do {
      let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
        // Who connects already is not left waiting for an answer: nobody would give one.
        .childChannelInitializer { $0.eventLoop.makeFailedFuture(ChannelError.eof) }
        .bind(host: configuration.host, port: configuration.port).get()
      try await channel.close()
    } catch {
      throw HTTPServerError(listening: error, configuration)
    }
  }
}

extension HTTPServerError {
  /// What kept the server from listening.
  init(listening error: any Error, _ configuration: HTTPServerConfiguration) {
    let place = "\(configuration.host):\(configuration.port)"
    switch (error as? IOError)?.errnoCode {
    case EADDRINUSE:
      self.init(.portInUse, "Port \(configuration.port) at \(configuration.host) is in use. Choose another.")
    case EACCES:
      self.init(.addressUnavailable, "Listening at \(place) is not permitted. Choose a port above 1023.")
    default:
      self.init(.addressUnavailable, "It is not possible to listen at \(place).", cause: "\(error)")
    }
  }
}
