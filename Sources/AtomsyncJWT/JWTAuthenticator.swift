internal import AtomsyncCore
public import AtomsyncHTTPServer
internal import Foundation
public import HTTPTypes
internal import JWTKit
public import Logging

/// Lets in who shows a signed JSON Web Token (RFC 7519) as `Authorization: Bearer <token>`.
///
/// | Claim | |
/// |---|---|
/// | `sub` | the user's name, 1 to 128 bytes of UTF-8 |
/// | `exp` | when the token is void; it has to be there. A live stream ends then |
/// | `nbf` | when it begins to hold, if it says so |
/// | `iss`, `aud` | compared with what was configured |
/// | `atomsync:groups` | the user's groups: exact names, or a prefix followed by `*` |
/// | `atomsync:access` | `write`, unless it says `read` |
///
/// ## Behavior
/// - The algorithm is the key's, never what a token says: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512,
///   EdDSA, or HS256 for a secret.
/// - A token that names a key which is not known has the keys read again, every 30 seconds at most; keys from a URL are
///   also read again after an hour. When that fails, those that are known go on.
/// - Clocks may differ by 30 seconds.
public final class JWTAuthenticator: Authenticator {
  private let ring: KeyRing
  private let issuer: String?
  private let audience: String?

  static let leeway: TimeInterval = 30

  /// - Parameters:
  ///   - keys: where the public keys, or the secret, are.
  ///   - issuer: what `iss` has to be; `nil` for anything.
  ///   - audience: what `aud` has to name; `nil` for anything.
  ///   - logger: where it is told that keys cannot be read.
  /// - Throws: ``JWTKeyError`` when a file of keys cannot be read or used. Keys from a URL that cannot be read are a warning: nobody
  ///   is let in until they can.
  public init(
    keys: JWTKeySource, issuer: String? = nil, audience: String? = nil,
    logger: Logger = Logger(label: "atomsync.jwt")
  ) async throws(JWTKeyError) {
    ring = KeyRing(keys, logger)
    self.issuer = issuer
    self.audience = audience
    try await ring.open()
  }

  /// Reads the keys again. When they cannot be used, those that are known go on.
  ///
  /// - Throws: ``JWTKeyError``.
  public func reloadKeys() async throws(JWTKeyError) { try await ring.reload() }

  /// The user that the request's token names; `nil` when it has no token, or none that is valid here.
  ///
  /// - Throws: `ProtocolError` with `unavailable` when no keys are known yet.
  public func user(of request: HTTPRequest) async throws -> User? {
    guard let text = request.headerFields[.authorization].flatMap(BearerToken.text),
      let token = SignedToken(Array(text.utf8)),
      let keys = try await ring.keys(for: token.keyName),
      let claims = try? await keys.verified(token), isMeant(claims)
    else { return nil }
    return User(
      claims.subject, groups: claims.groups, access: claims.access,
      expires: claims.expires.addingTimeInterval(Self.leeway))
  }

  private func isMeant(_ claims: AccessToken, now: Date = Date()) -> Bool {
    claims.expires.addingTimeInterval(Self.leeway) > now
      && claims.notBefore.map { $0.addingTimeInterval(-Self.leeway) <= now } ?? true
      && (issuer == nil || claims.issuer == issuer)
      && (audience.map(claims.audience.contains) ?? true)
  }
}
