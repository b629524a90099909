internal import AtomsyncCore

/// Authenticates bearer tokens; users can be replaced at run time.
final class AccessController: Sendable {
  private let users: Lock<Users?>

  /// - Parameter users: `nil` allows anonymous access.
  init(_ users: Users?) { self.users = Lock(users) }

  func replace(_ users: Users?) { self.users.withLock { $0 = users } }

  /// - Throws: `ProtocolError` with `unauthorized`.
  func caller(authorization: String?) throws -> Caller {
    guard let users = users.withLock({ $0 }) else { return Caller(user: nil) }
    guard let authorization else {
      throw ProtocolError(.unauthorized, "This server wants a token: send “Authorization: Bearer <token>”.")
    }
    let parts = authorization.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer",
      let user = users.user(token: parts[1].trimmingPrefix { $0 == " " }.description)
    else { throw ProtocolError(.unauthorized, "The token is not valid.") }
    return Caller(user: user)
  }

  /// Whether a caller who was authenticated earlier may still read the group.
  ///
  /// - Throws: `ProtocolError` with `unauthorized` when it has to authenticate again: its token is not the user's any more,
  ///   which says nothing of what the user may read.
  func admits(_ caller: Caller, group: String) throws -> Bool {
    guard let users = users.withLock({ $0 }) else { return true }
    let again = ProtocolError(.unauthorized, "The token is not valid any more.")
    guard let known = caller.user else { throw again }
    guard let current = users.users.first(where: { $0.name == known.name }) else { return false }
    guard current.tokenDigest == known.tokenDigest else { throw again }
    return current.includes(group: group)
  }
}

/// Who a request comes from.
struct Caller: Sendable {
  /// `nil` on an open server.
  let user: User?

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
