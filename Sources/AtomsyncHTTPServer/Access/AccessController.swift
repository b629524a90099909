internal import AtomsyncCore
internal import Foundation
internal import HTTPTypes

/// Finds out who sends a request: a user with a token, who can be replaced at run time, or whom an ``Authenticator`` knows.
final class AccessController: Sendable {
  private struct State {
    var users: Users?
    /// Rises when callers have to be looked at anew.
    var generation = 0
  }

  private let state: Lock<State>
  private let authenticator: (any Authenticator)?
  private let tokens: TokenGuard

  /// - Parameters:
  ///   - users: with an `authenticator`, those that are known beside its own.
  ///   - authenticator: without it and without `users`, everybody is let in.
  init(_ users: Users?, _ authenticator: (any Authenticator)? = nil, wrongTokens: Int) {
    state = Lock(State(users: users))
    self.authenticator = authenticator
    tokens = TokenGuard(wrongTokens: wrongTokens)
  }

  func replace(_ users: Users?) {
    state.withLock { state in
      state.users = users
      state.generation += 1
    }
  }

  /// Has everybody looked at anew who was let in earlier.
  func recheck() { state.withLock { $0.generation += 1 } }

  var generation: Int { state.withLock { $0.generation } }

  /// Whether requests need no token.
  var isOpen: Bool { users == nil && authenticator == nil }

  private var users: Users? { state.withLock { $0.users } }

  // MARK: Who it is

  /// - Throws: `ProtocolError` with `unauthorized` or `too-many-requests`; what the authenticator throws.
  func caller(_ request: EndpointRequest) async throws -> Caller {
    let users = users
    if users == nil && authenticator == nil { return .anybody }
    if let caller = users.flatMap({ caller(request, in: $0) }) { return try admitted(caller, request) }
    return try admitted(try await authenticated(request), request)
  }

  private func caller(_ request: EndpointRequest, in users: Users) -> Caller? {
    let token = request.head.headerFields.value(of: .authorization).flatMap(BearerToken.text)
    return token.flatMap { users.user(token: $0) }.map { Caller(user: $0, origin: .users) }
  }

  private func authenticated(_ request: EndpointRequest) async throws -> Caller? {
    guard let user = try await authenticator?.user(of: request.head), !user.isExpired else { return nil }
    return Caller(user: user, origin: .authenticator(request))
  }

  private func admitted(_ caller: Caller?, _ request: EndpointRequest) throws -> Caller {
    if caller == nil && !request.head.headerFields.contains(.authorization) {
      throw ProtocolError(.unauthorized, "This server wants a token: send “Authorization: Bearer <token>”.")
    }
    try tokens.admit(caller?.user, from: request.peer.address)
    guard let caller else { throw ProtocolError(.unauthorized, "The token is not valid.") }
    return caller
  }

  // MARK: Whether it is still so

  private static let again = ProtocolError(.unauthorized, "The token is not valid any more.")

  /// The caller as it is now; `nil` when its user is no more.
  ///
  /// - Throws: `ProtocolError` with `unauthorized` when it has to authenticate again: its token is not the user's any more,
  ///   which says nothing of what the user may read. What the authenticator throws.
  func current(_ caller: Caller) async throws -> Caller? {
    switch caller.origin {
    case .nobody:
      guard isOpen else { throw Self.again }
      return caller
    case .users:
      // A server that was opened lets everybody in.
      guard let users else {
        if authenticator == nil { return .anybody }
        throw Self.again
      }
      guard let known = caller.user, let current = users.user(named: known.name) else { return nil }
      guard current.tokenDigest == known.tokenDigest else { throw Self.again }
      return Caller(user: current, origin: .users)
    case .authenticator(let request):
      guard let user = try await authenticator?.user(of: request.head), !user.isExpired,
        user.name == caller.user?.name
      else { throw Self.again }
      return Caller(user: user, origin: caller.origin)
    }
  }

  /// The caller of a request whose body has come: its rights may have been withdrawn meanwhile.
  ///
  /// - Throws: as ``current(_:)``; `ProtocolError` with `unauthorized` as well when its user is no more.
  func confirmed(_ caller: Caller) async throws -> Caller {
    if case .authenticator = caller.origin, MonotonicTime.now - caller.since < .seconds(1) { return caller }
    guard let caller = try await current(caller) else { throw Self.again }
    return caller
  }
}

extension User {
  var isExpired: Bool { expires.map { $0 <= Date() } ?? false }
}
