internal import Atomsync
internal import AtomsyncCore
internal import AtomsyncHTTPServer
internal import Logging

/// What the server is to do: the command line before the environment before the defaults.
struct Settings {
  var storage: StorageProvider
  var server: HTTPServerConfiguration
  /// Whose JSON Web Tokens are let in.
  var tokens: TokenSettings?
  /// The users file, which can be read again.
  var usersPath: String?
  var metrics: MetricsAddress?
  var logLevel: Logger.Level
  var logsJSON: Bool
  /// Of the store.
  let location: StoreLocation

  /// - Throws: ``SettingsError``, `UsersError` or `HTTPServerError`: one line that says what is wrong.
  init(_ command: ServeCommand, _ environment: Environment) throws {
    if command.shortPort != nil && command.port != nil {
      throw SettingsError("The port is given twice: \(command.shortPort ?? "") and --port.")
    }
    location = try StoreLocation(command.store, shortPath: command.shortPath, environment)
    storage = location.provider

    server = HTTPServerConfiguration()
    server.host = command.host ?? environment["ATOMSYNC_HOST"] ?? server.host
    let given = command.port ?? command.shortPort
    if let text = given ?? environment["ATOMSYNC_PORT"] {
      guard let port = Int(text), (0...65_535).contains(port) else {
        let name = given == nil ? "ATOMSYNC_PORT" : "The port"
        throw SettingsError("\(name) must be a number from 0 to 65535; it is “\(text)”.")
      }
      server.port = port
    }
    server.allowsAnonymousAccess = try command.open || environment.flag("ATOMSYNC_OPEN")
    let origins = environment["ATOMSYNC_CORS_ORIGIN"].map { $0.split(separator: " ").map(String.init) } ?? []
    server.corsOrigins = command.corsOrigin.isEmpty ? origins : command.corsOrigin
    server.tls = try Self.tls(
      certificate: command.tlsCertificate ?? environment["ATOMSYNC_TLS_CERTIFICATE"],
      key: command.tlsKey ?? environment["ATOMSYNC_TLS_KEY"])
    tokens = try TokenSettings(command, environment)
    usersPath = command.users ?? environment["ATOMSYNC_USERS"]
    if let usersPath { server.users = try Users(contentsOf: usersPath) }

    metrics = try (command.metrics ?? environment["ATOMSYNC_METRICS"]).map { try MetricsAddress($0) }
    switch command.logFormat ?? environment["ATOMSYNC_LOG_FORMAT"] ?? "text" {
    case "text": logsJSON = false
    case "json": logsJSON = true
    case let text: throw SettingsError("Logs are written as text or json; it is “\(text)”.")
    }
    let level = command.logLevel ?? environment["ATOMSYNC_LOG_LEVEL"] ?? Logger.Level.notice.rawValue
    guard let known = Logger.Level(rawValue: level.lowercased()) else {
      let name = command.logLevel == nil ? "ATOMSYNC_LOG_LEVEL" : "--log-level"
      throw SettingsError(
        "\(name) must be trace, debug, info, notice, warning, error or critical; it is “\(level)”.")
    }
    logLevel = known
    // Tokens are looked at by an authenticator, which is made later.
    guard tokens == nil else { return }
    do {
      try server.validate()
    } catch {
      guard error.code == .open else { throw error }
      throw SettingsError("\(error.message) (--users FILE, --host 127.0.0.1, --open)")
    }
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
