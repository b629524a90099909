internal import AtomsyncCore
internal import CPostgres
internal import Foundation

/// Where a store is: what libpq is told, the store's table, and whether a pooler stands between.
struct PostgresAddress: Sendable, CustomStringConvertible {
  /// What libpq is told, by its own keywords.
  let parameters: [String: String]
  let table: PostgresTable
  let statements: PostgresStatements
  /// Each transaction may be on another of the server's sessions: nothing may be kept in one.
  let isPooled: Bool
  /// For logs and errors: no password.
  let description: String

  /// - Parameter url: as libpq reads it, and two parameters more: `table` and `pooling=transaction`.
  /// - Throws: `StorageError` with `inaccessible`, without what stands in the URL.
  init(_ url: String) throws {
    guard url.hasPrefix("postgres://") || url.hasPrefix("postgresql://") else {
      throw Self.refusal("A PostgreSQL store is postgres://user@host/database.")
    }
    var parts = url.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    var own: [String: String] = [:]
    if parts.count == 2 {
      var others: [Substring] = []
      for parameter in parts[1].split(separator: "&") {
        let pair = parameter.split(separator: "=", maxSplits: 1).map(String.init)
        if pair.count == 2, ["table", "pooling"].contains(pair[0]) {
          own[pair[0]] = pair[1]
        } else {
          others.append(parameter)
        }
      }
      parts[1] = others.joined(separator: "&")
      if others.isEmpty { parts.removeLast() }
    }
    guard Self.isUnambiguous(parts[0]) else { throw Self.unreadable }
    guard let table = PostgresTable(own["table"] ?? PostgresTable.defaultName) else {
      throw Self.refusal(
        "A store's table has a name of 1 to \(PostgresTable.longestName) of the letters a–z, digits and underscores."
      )
    }
    guard own["pooling"].map({ $0 == "transaction" }) ?? true else {
      throw Self.refusal("Of poolings there is one to name: pooling=transaction.")
    }
    self.table = table
    statements = PostgresStatements(table: table)
    isPooled = own["pooling"] != nil
    parameters = try Self.parameters(parts.joined(separator: "?"))
    let host = parameters["host"] ?? parameters["hostaddr"] ?? "localhost"
    let port = parameters["port"].map { ":\($0)" } ?? ""
    let database = parameters["dbname"] ?? parameters["user"] ?? ""
    description =
      "\(host)\(port)/\(database)" + (table.name == PostgresTable.defaultName ? "" : " (table \(table.name))")
  }

  /// How long it may take to connect.
  var connectTimeout: Duration {
    // As libpq has it: the URL's, or the environment's (which is why ours is not among the parameters), and two at least.
    let text = parameters["connect_timeout"] ?? getenv("PGCONNECT_TIMEOUT").map { String(cString: $0) }
    return .seconds(max(2, text.flatMap(Int.init) ?? Self.connectSeconds))
  }

  private static let connectSeconds = 5

  private static func refusal(_ message: String) -> StorageError { StorageError(.inaccessible, message) }

  private static let unreadable = refusal(
    "The PostgreSQL URL cannot be read. It is postgres://user@host:port/database?parameter=value, with special "
      + "characters percent-encoded.")

  /// Whether it is plain what the password is: with a slash or an at sign in it, libpq takes a part of it for a host or a
  /// database, whose names are told in messages.
  private static func isUnambiguous(_ url: String) -> Bool {
    let place = url.split(separator: "://", maxSplits: 1).last ?? ""
    guard let at = place.lastIndex(of: "@") else { return true }
    return !place[..<at].contains { $0 == "@" || $0 == "/" }
  }

  /// What libpq is told unless the URL or the environment says otherwise.
  private static let defaults = [
    "application_name": "atomsync",
    // A peer that has died is noticed within 25 seconds.
    "connect_timeout": "\(connectSeconds)", "keepalives_idle": "10", "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
    // Of several hosts the one that can be written: after a failover, the new primary.
    "target_session_attrs": "read-write",
  ]

  private static func parameters(_ url: String) throws -> [String: String] {
    // What libpq says of a URL that it cannot read may quote the password.
    guard let options = PQconninfoParse(url, nil) else { throw unreadable }
    defer { PQconninfoFree(options) }
    var parameters: [String: String] = [:]
    var option = options
    while let keyword = option.pointee.keyword {
      let name = String(cString: keyword)
      if let value = option.pointee.val {
        parameters[name] = String(cString: value)
      } else if let value = defaults[name] {
        let isInEnvironment = option.pointee.envvar.map { getenv($0) != nil } ?? false
        if !isInEnvironment { parameters[name] = value }
      }
      option += 1
    }
    // Names and messages are UTF-8 here, whatever the environment says.
    parameters["client_encoding"] = "UTF8"
    return parameters
  }
}
