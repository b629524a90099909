internal import AtomsyncCore

/// Authenticates bearer tokens; users can be replaced at run time.
final class AccessController: Sendable {
  private let users: Lock<Users?>
  private let tokens: TokenGuard

  /// - Parameter users: `nil` allows anonymous access.
  init(_ users: Users?, wrongTokens: Int) {
    self.users = Lock(users)
    tokens = TokenGuard(wrongTokens: wrongTokens)
  }

  func replace(_ users: Users?) { self.users.withLock { $0 = users } }

  /// Whether requests need no token.
  var isOpen: Bool { users.withLock { $0 == nil } }

  /// - Throws: `ProtocolError` with `unauthorized` or `too-many-requests`.
  func caller(authorization: String?, address: @autoclosure () -> String?) throws -> Caller {
    guard let users = users.withLock({ $0 }) else { return Caller(user: nil) }
    guard let authorization else {
      throw ProtocolError(.unauthorized, "This server wants a token: send “Authorization: Bearer <token>”.")
    }
    guard let token = Self.token(authorization),
      let user = try tokens.user(token: token, from: address(), in: users)
    else { throw ProtocolError(.unauthorized, "The token is not valid.") }
    return Caller(user: user)
  }

  /// What follows `Bearer`, in any case, and spaces. By bytes, since nobody is known yet.
  private static func token(_ authorization: String) -> String? {
    let parts = authorization.utf8.split(separator: UInt8(ascii: " "), maxSplits: 1)
    guard parts.count == 2, String(parts[0])?.lowercased() == "bearer" else { return nil }
    return String(parts[1].drop { $0 == UInt8(ascii: " ") })
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
