internal import AtomsyncCore

/// Who a request comes from.
final class Caller: Sendable {
  enum Origin: Sendable {
    /// An open server asks nobody.
    case nobody
    /// The user's token is in the users file.
    case users
    /// The authenticator knows this request.
    case authenticator(EndpointRequest)
  }

  /// `nil` on an open server.
  let user: User?
  let origin: Origin
  /// When it was found out.
  let since = MonotonicTime.now

  static let anybody = Caller(user: nil, origin: .nobody)

  init(user: User?, origin: Origin) {
    self.user = user
    self.origin = origin
  }

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
