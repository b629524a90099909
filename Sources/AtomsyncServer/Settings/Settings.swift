internal import Atomsync
internal import AtomsyncCore
internal import AtomsyncHTTPServer
internal import AtomsyncSettings
internal import Logging

/// What the server is to do: the command line before the environment, before the file of settings, before the defaults.
struct Settings {
  var storage: StorageProvider
  var server: HTTPServerConfiguration
  /// How long the store keeps what is kept by age; `nil` for the default.
  var retention: Duration?
  /// Whose JSON Web Tokens are let in.
  var tokens: TokenSettings?
  /// The users file, which can be read again.
  var usersPath: String?
  var metrics: MetricsAddress?
  var logLevel: Logger.Level
  var logsJSON: Bool
  /// Of the store.
  let location: StoreLocation

  /// What can be set in a file, and may have been said on the command line instead.
  private static let names: Set<String> = [
    "storage", "path", "host", "port", "open", "cors.origin", "tls.certificate", "tls.key", "users",
    "metrics",
    "jwt.keys", "jwt.issuer", "jwt.audience", "log.format", "log.level",
  ]

  /// - Throws: ``SettingsError``, `UsersError` or `HTTPServerError`: one line that says what is wrong.
  init(_ command: ServeCommand, _ settings: SettingsReader) throws {
    if command.shortPort != nil && command.port != nil {
      throw SettingsError("The port is given twice: \(command.shortPort ?? "") and --port.")
    }
    location = try StoreLocation(command.store, shortPath: command.shortPath, settings)
    storage = location.provider

    server = HTTPServerConfiguration()
    server.host = try command.host ?? settings.string("host") ?? server.host
    server.port = try Self.port(command) ?? settings.int("port", in: 0...65_535) ?? server.port
    server.allowsAnonymousAccess = try command.open || settings.bool("open") ?? false
    server.corsOrigins = try command.corsOrigin.isEmpty ? settings.strings("cors.origin") : command.corsOrigin
    server.tls = try Self.tls(
      certificate: try command.tlsCertificate ?? settings.string("tls.certificate"),
      key: try command.tlsKey ?? settings.string("tls.key"))
    server.limits = try Limits(settings)
    server.serverLimits = try ServerLimits(settings)
    retention = try settings.duration("retention")
    // For clients, which may share the file.
    _ = try (RetryPolicy(settings), settings.string("codec"))
    tokens = try TokenSettings(command, settings)
    usersPath = try command.users ?? settings.string("users")
    if let usersPath { server.users = try Users(contentsOf: usersPath) }

    metrics = try (command.metrics ?? settings.string("metrics")).map { try MetricsAddress($0) }
    switch try command.logFormat ?? settings.string("log.format") ?? "text" {
    case "text": logsJSON = false
    case "json": logsJSON = true
    case let text: throw SettingsError("Logs are written as text or json; it is “\(text)”.")
    }
    let level = try command.logLevel ?? settings.string("log.level") ?? Logger.Level.notice.rawValue
    guard let known = Logger.Level(rawValue: level.lowercased()) else {
      let what = "trace, debug, info, notice, warning, error or critical"
      if command.logLevel == nil { throw settings.refusal("log.level", what, level) }
      throw SettingsError("--log-level must be \(what); it is “\(level)”.")
    }
    logLevel = known
    try settings.requireAllKnown(or: Self.names)
    // Tokens are looked at by an authenticator, which is made later.
    guard tokens == nil else { return }
    do {
      try server.validate()
    } catch {
      guard error.code == .open else { throw error }
      throw SettingsError("\(error.message) (--users FILE, --host 127.0.0.1, --open)")
    }
  }

  /// What the authority is opened with.
  func authority(_ storage: StorageProvider, _ logger: Logger) -> AtomsyncConfiguration {
    var configuration = AtomsyncConfiguration(storage: storage, limits: server.limits, logger: logger)
    configuration.retention = retention ?? configuration.retention
    return configuration
  }

  private static func port(_ command: ServeCommand) throws(SettingsError) -> Int? {
    guard let text = command.port ?? command.shortPort else { return nil }
    guard let port = Int(text), (0...65_535).contains(port) else {
      throw SettingsError("The port must be a number from 0 to 65535; it is “\(text)”.")
    }
    return port
  }

  private static func tls(certificate: String?, key: String?) throws(SettingsError) -> TLSFiles? {
    switch (certificate, key) {
    case (nil, nil): nil
    case (let certificate?, let key?): TLSFiles(certificate: certificate, key: key)
    case (_?, nil): throw SettingsError("A certificate needs its key: give --tls-key as well.")
    case (nil, _?): throw SettingsError("A key needs its certificate: give --tls-certificate as well.")
    }
  }
}
