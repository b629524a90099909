internal import AtomsyncCore
internal import CPostgres

/// What PostgreSQL or libpq said.
struct PostgresFailure: Error {
  /// Five characters (PostgreSQL's documentation, appendix A); `nil` where libpq itself had something to say: the
  /// connection could not be made, or is lost.
  var state: String?
  var message: String

  init(state: String? = nil, _ message: String) {
    self.state = state
    self.message = message.split(whereSeparator: \.isNewline).joined(separator: " ")
  }

  /// What a result says.
  init(_ result: OpaquePointer) {
    self.init(
      state: PQresultErrorField(result, 0x43 /* PG_DIAG_SQLSTATE, 'C' */).map { String(cString: $0) },
      String(cString: PQresultErrorMessage(result)))
  }

  /// What a connection says.
  init(connection: OpaquePointer?) {
    self.init(connection.map { String(cString: PQerrorMessage($0)) } ?? "out of memory")
  }

  /// The session has ended, or cannot be used any more: another one may do.
  var endsSession: Bool {
    guard let state else { return true }
    // Connection failures; the operator's interventions but a statement's end; a transaction that was idle for too
    // long; a primary that has become a standby.
    return state.hasPrefix("08") || (state.hasPrefix("57P") && state != "57P04")
      || ["25P03", "25006"].contains(state)
  }

  /// On another session, or because the transaction was rolled back for the sake of others only: it could not be
  /// serialized, was in a deadlock, had waited for too long, or another statement in it had failed.
  var isWorthAnotherTry: Bool {
    endsSession || ["40001", "40P01", "55P03", "57014", "25P02"].contains(state)
  }

  func error(at address: PostgresAddress) -> StorageError {
    let (code, text) = explanation(address)
    return StorageError(code, text, cause: state.map { "PostgreSQL \($0): \(message)" } ?? message)
  }

  private func explanation(_ address: PostgresAddress) -> (StorageError.Code, String) {
    switch state ?? "" {
    case "":
      (.inaccessible, "Cannot reach PostgreSQL at \(address). Check that it runs, the URL and the password.")
    case "28000", "28P01":
      (.inaccessible, "PostgreSQL at \(address) does not let this user in. Check the user and PGPASSWORD.")
    case "3D000": (.inaccessible, "There is no database at \(address). Create it with createdb.")
    case "42501":
      (
        .inaccessible,
        "The user may not use the table \(address.table) at \(address). Grant rights on its schema, or choose another user."
      )
    case "42P01":
      (.inaccessible, "The table \(address.table) at \(address) is gone. Restore it, or start anew.")
    case "53100": (.full, "PostgreSQL at \(address) has no space left. Free some.")
    case "53300", "53400":
      (
        .inaccessible,
        "PostgreSQL at \(address) has too many connections. Raise max_connections, or use a pooler."
      )
    case "XX001", "XX002":
      (.corrupt, "The table \(address.table) at \(address) is damaged. Restore it from a backup.")
    case "25006": (.inaccessible, "PostgreSQL at \(address) is read-only. Name the primary.")
    default:
      isWorthAnotherTry
        ? (.inaccessible, "PostgreSQL at \(address) could not do it in time. Try again.")
        : (.failed, "PostgreSQL at \(address) failed. Look at its log, and try again.")
    }
  }
}
