internal import AtomsyncJWT
internal import AtomsyncSettings
internal import Logging

/// Whose JSON Web Tokens are let in.
struct TokenSettings {
  let keys: JWTKeySource
  let issuer: String?
  let audience: String?

  /// `nil`: nobody's.
  ///
  /// - Throws: `JWTKeyError` for a URL that is not safe; ``SettingsError``.
  init?(_ command: ServeCommand, _ settings: SettingsReader) throws {
    issuer = try settings.string("jwt.issuer", unless: command.jwtIssuer)
    audience = try settings.string("jwt.audience", unless: command.jwtAudience)
    guard let place = try settings.string("jwt.keys", unless: command.jwtKeys) else {
      guard issuer == nil && audience == nil else {
        throw SettingsError("--jwt-issuer and --jwt-audience need --jwt-keys.")
      }
      return nil
    }
    keys = place.contains("://") ? try .url(place) : .file(place)
  }

  func authenticator(_ logger: Logger) async throws -> JWTAuthenticator {
    try await JWTAuthenticator(keys: keys, issuer: issuer, audience: audience, logger: logger)
  }
}
