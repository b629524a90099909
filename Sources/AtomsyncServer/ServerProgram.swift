internal import ArgumentParser
internal import Atomsync
internal import AtomsyncCore
internal import AtomsyncHTTPServer
internal import AtomsyncInspector
internal import AtomsyncPrometheus
internal import AtomsyncSettings
internal import CoreMetrics
internal import Foundation
internal import Logging
internal import ServiceLifecycle
internal import UnixSignals

#if canImport(CMalloc)
internal import CMalloc
#endif

/// The program, from its arguments to its exit code.
enum ServerProgram {
  /// Does what the command line asks for. Returns 2 when that could not be done at all; otherwise what the command says.
  static func run(arguments: [String], environment: [String: String]) async -> Int32 {
    var command: any ParsableCommand
    do {
      command = try ServerCommand.parseAsRoot(arguments)
      // What is neither asks for help, and throws it.
      if !(command is ServeCommand || command is any StoreCommand) { try command.run() }
    } catch {
      if ServerCommand.exitCode(for: error).isSuccess {
        do { try print(ServerCommand.fullMessage(for: error)) } catch { return refuse("\(error)") }
        return 0
      }
      return refuse(ServerCommand.message(for: error))
    }
    do {
      let config = (command as? any StoreCommand)?.config ?? (command as? ServeCommand)?.store.config
      let settings = try SettingsReader(
        environment: environment,
        file: config ?? environment["ATOMSYNC_CONFIG"].flatMap { $0.isEmpty ? nil : $0 })
      switch command {
      case let command as any StoreCommand: return try await command.perform(settings, print: print)
      case let serve as ServeCommand: try await self.serve(try Settings(serve, settings))
      default: break
      }
      return 0
    } catch {
      return refuse("\(error)")
    }
  }

  /// Has the system take back the memory of large messages. By itself glibc raises, with each of them, the size from which it
  /// does, and keeps the memory of one large push for good. Small messages stay out of it: to give back whatever is more
  /// than 256 KiB cost a fifth of the pushes a second.
  private static func giveMemoryBack() {
    #if canImport(CMalloc)
    mallopt(M_MMAP_THRESHOLD, 1 << 20)
    mallopt(M_TRIM_THRESHOLD, 16 << 20)
    #endif
  }

  /// Looks at everything that can keep it from starting before it opens the store.
  private static func serve(_ settings: Settings) async throws {
    let logsJSON = settings.logsJSON
    LoggingSystem.bootstrap { label in
      if logsJSON { JSONLogHandler(label: label) } else { StreamLogHandler.standardError(label: label) }
    }
    var logger = Logger(label: "atomsync-server")
    logger.logLevel = settings.logLevel
    var configuration = settings.server
    configuration.logger = logger
    let tokens = try await settings.tokens?.authenticator(logger)
    configuration.authenticator = tokens

    giveMemoryBack()
    Descriptors.raiseLimit()
    // Until somebody listens to it: the system would end the process.
    signal(SIGHUP, SIG_IGN)
    try await SyncServer.checkAddress(configuration)
    let registry = PrometheusRegistry()
    let isMeasured = settings.metrics != nil || settings.hasInspector
    if isMeasured { MetricsSystem.bootstrap(registry) }
    let storage = isMeasured ? settings.storage.measured() : settings.storage
    let authority = try await Authority.open(settings.authority(storage, logger))
    do {
      let endpoint = try SyncEndpoint(authority, configuration: configuration)
      let inspector =
        settings.hasInspector ? Inspector(endpoint, of: authority, metrics: { registry.text() }) : nil
      let server = try SyncServer(endpoint) { await inspector?.respond(to: $0) }
      let reloading = Reloading(
        usersPath: settings.usersPath, tokens: tokens, server: server, logger: logger)
      var services: [any Service] = [server, reloading]
      if let address = settings.metrics {
        let location = settings.location
        services.append(
          MetricsServer(address: address, registry: registry, storeBytes: { location.fileBytes }))
      }
      try await run(services, logger) {
        let port = try await server.boundPort()
        try print(greeting(settings, port: port))
      }
    } catch {
      await authority.close()
      throw error
    }
    await authority.close()
  }

  private static func run(
    _ services: [any Service], _ logger: Logger, greeting: @escaping @Sendable () async throws -> Void
  ) async throws {
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .warning)
    var configuration = ServiceGroupConfiguration(
      services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
    // Requests in hand are short; what takes longer is a reader that takes nothing.
    configuration.maximumGracefulShutdownDuration = .seconds(10)
    let group = ServiceGroup(configuration: configuration)
    async let greeted: Void? = try? greeting()
    do { try await group.run() } catch is CancellationError {}
    _ = await greeted
  }

  private static func greeting(_ settings: Settings, port: Int) -> String {
    let configuration = settings.server
    let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
    let guests =
      if let users = configuration.users?.users.count {
        users == 1 ? "1 user may come in" : "\(users) users may come in"
      } else if settings.tokens != nil {
        "users with a token may come in"
      } else {
        configuration.allowsAnonymousAccess
          ? "open to everybody who can reach it" : "open to everybody on this machine"
      }
    let scheme = configuration.tls == nil ? "http" : "https"
    let inspector = settings.hasInspector ? " Look at \(scheme)://\(host):\(port)\(Inspector.path)" : ""
    return "atomsync-server listens at \(scheme)://\(host):\(port)\(configuration.path), "
      + "keeps documents in \(settings.storage), \(guests).\(inspector)"
  }

  private static func refuse(_ message: String) -> Int32 {
    let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
    try? FileHandle.standardError.write(contentsOf: Data("atomsync-server: \(line)\n".utf8))
    return 2
  }

  /// Unbuffered: who waits for the greeting reads it at once.
  static func print(_ line: String) throws {
    do { try FileHandle.standardOutput.write(contentsOf: Data("\(line)\n".utf8)) } catch {
      throw SettingsError("Standard output cannot be written.")
    }
  }
}
