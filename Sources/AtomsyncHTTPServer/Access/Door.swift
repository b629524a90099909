internal import AtomsyncCore

/// Lets callers in by their token. The users may change while it stands.
final class Door: Sendable {
  private let users: Lock<Users?>

  /// - Parameter users: `nil` lets everybody in.
  init(_ users: Users?) { self.users = Lock(users) }

  func replace(_ users: Users?) { self.users.withLock { $0 = users } }

  /// - Throws: `ErrorBody` with `unauthorized`.
  func caller(authorization: String?) throws -> Caller {
    guard let users = users.withLock({ $0 }) else { return Caller(user: nil) }
    guard let authorization else {
      throw ErrorBody(.unauthorized, "This server wants a token: send “Authorization: Bearer <token>”.")
    }
    let parts = authorization.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer",
      let user = users.user(token: parts[1].trimmingPrefix { $0 == " " }.description)
    else { throw ErrorBody(.unauthorized, "The token is not valid.") }
    return Caller(user: user)
  }

  /// Whether a caller who came in earlier may still read the group.
  ///
  /// - Throws: `ErrorBody` with `unauthorized` when it has to come in again: its token is not the user's any more,
  ///   which says nothing of what the user may read.
  func admits(_ caller: Caller, group: String) throws -> Bool {
    guard let users = users.withLock({ $0 }) else { return true }
    let again = ErrorBody(.unauthorized, "The token is not valid any more.")
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

  /// - Throws: `ErrorBody` with `forbidden`.
  func check(group: String) throws {
    guard let user, !user.includes(group: group) else { return }
    throw ErrorBody(.forbidden, "The user \(user.name) may not use this group.")
  }

  /// - Throws: `ErrorBody` with `forbidden`.
  func checkMayWrite() throws {
    guard let user, user.access != .write else { return }
    throw ErrorBody(.forbidden, "The user \(user.name) may read, but not write.")
  }

  /// - Throws: `ErrorBody` with `wrong-user`. An open server knows no users, so there all are right.
  func check(owner: String?) throws {
    guard let user, let owner, owner != user.name else { return }
    throw ErrorBody(.wrongUser, "The edits belong to another user than the token.")
  }
}
