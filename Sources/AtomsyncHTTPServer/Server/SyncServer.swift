public import AtomsyncCore
public import AtomsyncEngine
internal import NIOCore
internal import NIOPosix
public import ServiceLifecycle

/// Serves an `Authority` over HTTP, as a service of a `ServiceGroup`.
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
  /// What answers the requests. Its users can be replaced while the server runs.
  public let endpoint: SyncEndpoint
  private let configuration: HTTPServerConfiguration
  private let identity: TLSIdentity?
  private let port = Promise<Int>()
  private let others: @Sendable (EndpointRequest) async -> EndpointResponse?

  /// - Parameters:
  ///   - authority: stays the caller's to close, after ``run()`` returned.
  ///   - configuration: where it listens, and who may come in.
  ///   - codecs: beside Transit's three, which are always spoken.
  /// - Throws: ``HTTPServerError`` for a configuration that cannot be, that would serve the network without users, or
  ///   whose certificate cannot be used.
  public convenience init(
    _ authority: Authority, configuration: HTTPServerConfiguration = HTTPServerConfiguration(),
    codecs: [any Codec] = []
  ) throws(HTTPServerError) {
    try self.init(SyncEndpoint(authority, configuration: configuration, codecs: codecs)) { _ in nil }
  }

  /// A server for an endpoint, and for what `others` answers at other paths.
  package init(
    _ endpoint: SyncEndpoint, others: @escaping @Sendable (EndpointRequest) async -> EndpointResponse?
  ) throws(HTTPServerError) {
    self.endpoint = endpoint
    self.others = others
    let configuration = endpoint.configuration
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
    let routes = ServerRoutes(endpoint, others: others)
    let settings = ConnectionSettings(
      limits: configuration.serverLimits, idleTimeout: configuration.idleTimeout,
      respond: { await routes.respond(to: $0) })
    let listener = HTTPListener(host: configuration.host, port: configuration.port, settings, identity)
    do {
      try await withThrowingTaskGroup(of: Void.self) { group in
        if let identity { group.addTask { [configuration] in await identity.follow(configuration.logger) } }
        try await listener.run { [port] in port.complete(.success($0)) }
        group.cancelAll()
      }
      port.complete(.failure(CancellationError()))
    } catch {
      let error = HTTPServerError(listening: error, configuration)
      port.complete(.failure(error))
      throw error
    }
  }

  /// Finds out whether the configuration's address can be listened at, without serving: a server that looks before
  /// it opens its store leaves nothing behind when it cannot start.
  ///
  /// - Throws: ``HTTPServerError``.
  public static func checkAddress(_ configuration: HTTPServerConfiguration) async throws {
    try configuration.validate()
    do {
      // As the listener itself does.
      let address = try await NIOThreadPool.singleton.runIfActive {
        try SocketAddress.makeAddressResolvingHost(configuration.host, port: configuration.port)
      }
      try BoundSocket.check(address)
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
