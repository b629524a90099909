internal import AtomsyncCore
internal import CPostgres

/// What PostgreSQL or libpq said.
struct PostgresFailure: Error {
  /// Five characters (PostgreSQL's documentation, appendix A); `nil` where libpq itself had something to say: the
  /// connection could not be made, or is lost.
  var state: String?
  var message: String
  /// What was asked for takes longer than anybody waits. Less may do.
  private(set) var isTimeout = false

  init(state: String? = nil, _ message: String) {
    self.state = state
    self.message = message.split(whereSeparator: \.isNewline).joined(separator: " ")
  }

  /// What a result says.
  init(_ result: OpaquePointer) {
    self.init(
      state: PQresultErrorField(result, 0x43 /* PG_DIAG_SQLSTATE, 'C' */).map { String(cString: $0) },
      String(cString: PQresultErrorMessage(result)))
    isTimeout = state == "57014"
  }

  static func silence(of duration: Duration) -> PostgresFailure {
    var failure = PostgresFailure("The server has not answered for \(duration).")
    failure.isTimeout = true
    return failure
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
      // Of what it says before there is a session, libpq tells the text alone.
      (
        .inaccessible,
        "There is no way into PostgreSQL at \(address). Check that it runs, the database, the user and the password."
      )
    case "26000", "42P05":
      (
        .inaccessible,
        "A pooler stands before PostgreSQL at \(address). Say so with pooling=transaction in the URL."
      )
    case "42501":
      (
        .inaccessible,
        "The user may not use the table \(address.table.name) at \(address). Grant rights on its schema, or choose another user."
      )
    case "42P01":
      (
        .inaccessible,
        "The tables of \(address.table.name) at \(address) are gone. Restore them, or start anew."
      )
    case "53100": (.full, "PostgreSQL at \(address) has no space left. Free some.")
    case "XX001", "XX002":
      (.corrupt, "The table \(address.table.name) at \(address) is damaged. Restore it from a backup.")
    case "25006": (.inaccessible, "PostgreSQL at \(address) is read-only. Name the primary.")
    default:
      isWorthAnotherTry
        ? (.inaccessible, "PostgreSQL at \(address) could not do it in time. Try again.")
        : (.failed, "PostgreSQL at \(address) failed. Look at its log, and try again.")
    }
  }
}
