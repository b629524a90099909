internal import AtomsyncCore
internal import HTTPTypes

/// Who a request comes from.
struct Caller: Sendable {
  enum Origin: Sendable {
    /// An open server asks nobody.
    case nobody
    /// The user's token is in the users file.
    case users
    /// The authenticator knows this request.
    case authenticator(HTTPRequest)
  }

  /// `nil` on an open server.
  let user: User?
  let origin: Origin
  /// When it was found out.
  let since = ContinuousClock.now

  static var anybody: Caller { Caller(user: nil, origin: .nobody) }

  /// - Throws: `ProtocolError` with `forbidden`.
  func check(group: String) throws {
    guard let user, !user.includes(group: group) else { return }
    throw ProtocolError(.forbidden, "The user \(user.name) may not use this group.")
  }

  /// - Throws: `ProtocolError` with `forbidden`.
  func checkMayWrite() throws {
    guard let user, user.access != .write else { return }
    throw ProtocolError(.forbidden, "The user \(user.name) may read, but not write.")
  }

  /// - Throws: `ProtocolError` with `wrong-user`. An open server knows no users, so there all are right.
  func check(owner: String?) throws {
    guard let user, let owner, owner != user.name else { return }
    throw ProtocolError(.wrongUser, "The edits belong to another user than the token.")
  }
}
