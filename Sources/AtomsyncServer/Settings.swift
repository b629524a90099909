internal import Atomsync
internal import AtomsyncCore
internal import AtomsyncHTTPServer
internal import Logging

/// What the server is to do: the command line before the environment before the defaults.
struct Settings {
  var storage: StorageKind
  var path: String
  var server: HTTPServerConfiguration
  /// The users file, which can be read again.
  var usersPath: String?
  var logLevel: Logger.Level

  /// - Throws: ``SettingsError``, `UsersError` or `HTTPServerError`: one line that says what is wrong.
  init(_ command: ServerCommand, environment: [String: String]) throws {
    func value(_ flag: String?, _ variable: String) -> String? {
      if let flag { return flag }
      guard let text = environment[variable], !text.isEmpty else { return nil }
      return text
    }
    func source(_ flag: String?, _ option: String, _ variable: String) -> String {
      flag == nil ? variable : option
    }
    if command.shortPort != nil && command.port != nil {
      throw SettingsError("The port is given twice: \(command.shortPort ?? "") and --port.")
    }
    if command.shortPath != nil && command.path != nil {
      throw SettingsError("The path is given twice: \(command.shortPath ?? "") and --path.")
    }

    let kind = value(command.storage, "ATOMSYNC_STORAGE") ?? StorageKind.sqlite.rawValue
    guard let storage = StorageKind(rawValue: kind) else {
      throw SettingsError(
        "\(source(command.storage, "--storage", "ATOMSYNC_STORAGE")) must be sqlite, lmdb or memory; it is “\(kind)”."
      )
    }
    self.storage = storage
    path = value(command.path ?? command.shortPath, "ATOMSYNC_PATH") ?? storage.defaultPath

    server = HTTPServerConfiguration()
    server.host = value(command.host, "ATOMSYNC_HOST") ?? server.host
    if let text = value(command.port ?? command.shortPort, "ATOMSYNC_PORT") {
      guard let port = Int(text), (0...65_535).contains(port) else {
        let name = source(command.port ?? command.shortPort, "The port", "ATOMSYNC_PORT")
        throw SettingsError("\(name) must be a number from 0 to 65535; it is “\(text)”.")
      }
      server.port = port
    }
    server.allowsAnonymousAccess = try command.open || Self.flag(environment["ATOMSYNC_OPEN"])
    usersPath = value(command.users, "ATOMSYNC_USERS")
    if let usersPath { server.users = try Users(contentsOf: usersPath) }

    let level = value(command.logLevel, "ATOMSYNC_LOG_LEVEL") ?? Logger.Level.notice.rawValue
    guard let known = Logger.Level(rawValue: level.lowercased()) else {
      throw SettingsError(
        "\(source(command.logLevel, "--log-level", "ATOMSYNC_LOG_LEVEL")) must be trace, debug, info, notice, "
          + "warning, error or critical; it is “\(level)”.")
    }
    logLevel = known
    do {
      try server.validate()
    } catch {
      guard error.code == .open else { throw error }
      throw SettingsError("\(error.message) (--users FILE, --host 127.0.0.1, --open)")
    }
  }

  private static func flag(_ text: String?) throws -> Bool {
    switch text?.lowercased() {
    case nil, "", "0", "false", "no": false
    case "1", "true", "yes": true
    default: throw SettingsError("ATOMSYNC_OPEN must be 1 or 0; it is “\(text ?? "")”.")
    }
  }
}

/// A setting that cannot be.
struct SettingsError: Error, CustomStringConvertible {
  var description: String
  init(_ message: String) { description = message }
}
