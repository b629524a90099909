public import HTTPTypes

/// Finds out who sends a request, by whatever means an application has: a session, a certificate, a token of its own.
///
/// ```swift
/// struct Sessions: Authenticator {
///   let store: SessionStore
///
///   func user(of request: HTTPRequest) async throws -> User? {
///     guard let session = await store.session(request.headerFields[.cookie]) else { return nil }
///     return User(session.name, groups: ["user:\(session.name)"])
///   }
/// }
/// ```
///
/// ## Behavior
/// It is asked for every request; once more after a body that took longer than a second; and for each live stream once a
/// minute, and after ``SyncEndpoint/recheckUsers()``.
public protocol Authenticator: Sendable {
  /// - Returns: who sends the request, and what they may do. `nil` when its credentials are missing or not valid, which is
  ///   answered 401; with an `Authorization` it counts as a wrong token of its address.
  /// - Throws: when nobody can tell. It is logged and answered 500, a `ProtocolError` as what it is.
  func user(of request: HTTPRequest) async throws -> User?
}
