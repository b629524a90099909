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
  /// Whether the inspector is served.
  var hasInspector: Bool
  var logLevel: Logger.Level
  var logsJSON: Bool
  /// Of the store.
  let location: StoreLocation

  /// - Throws: ``SettingsError``, `UsersError` or `HTTPServerError`: one line that says what is wrong.
  init(_ command: ServeCommand, _ settings: SettingsReader) throws {
    if command.shortPort != nil && command.port != nil {
      throw SettingsError("The port is given twice: \(command.shortPort ?? "") and --port.")
    }
    location = try StoreLocation(command.store, shortPath: command.shortPath, settings)
    storage = location.provider

    server = HTTPServerConfiguration()
    server.host = try settings.string("host", unless: command.host) ?? server.host
    server.port = try settings.int("port", unless: try Self.port(command), in: 0...65_535) ?? server.port
    server.allowsAnonymousAccess = try settings.bool("open", unless: command.open ? true : nil) ?? false
    server.corsOrigins = try settings.strings("cors.origin", unless: command.corsOrigin)
    server.tls = try Self.tls(
      certificate: try settings.string("tls.certificate", unless: command.tlsCertificate),
      key: try settings.string("tls.key", unless: command.tlsKey))
    server.limits = try Limits(settings)
    server.serverLimits = try ServerLimits(settings)
    retention = try settings.duration("retention")
    // For clients, which may share the file.
    _ = try (RetryPolicy(settings), settings.string("codec"))
    tokens = try TokenSettings(command, settings)
    usersPath = try settings.string("users", unless: command.users)
    if let usersPath { server.users = try Users(contentsOf: usersPath) }

    metrics = try settings.string("metrics", unless: command.metrics).map { try MetricsAddress($0) }
    hasInspector =
      try settings.bool("inspector", unless: command.inspector)
      ?? (server.isLoopback && server.users == nil && tokens == nil && server.tls == nil)
    switch try settings.string("log.format", unless: command.logFormat) ?? "text" {
    case "text": logsJSON = false
    case "json": logsJSON = true
    case let text: throw SettingsError("Logs are written as text or json; it is “\(text)”.")
    }
    let level = try settings.string("log.level", unless: command.logLevel) ?? Logger.Level.notice.rawValue
    guard let known = Logger.Level(rawValue: level.lowercased()) else {
      let what = "trace, debug, info, notice, warning, error or critical"
      if command.logLevel == nil { throw settings.refusal("log.level", what, level) }
      throw SettingsError("--log-level must be \(what); it is “\(level)”.")
    }
    logLevel = known
    try settings.requireAllKnown()
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
