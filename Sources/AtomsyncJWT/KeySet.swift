internal import Foundation
internal import JWTKit

/// The keys of a set, by name, each with its algorithm.
struct KeySet: Sendable {
  private let keys: JWTKeyCollection
  private let names: Set<String>
  /// The one key there is, for tokens that name none.
  private let only: String?

  /// - Throws: ``JWTKeyError``. Keys of kinds that are not known, and those for encryption, are left out.
  init(json: [UInt8]) async throws(JWTKeyError) {
    guard let root = try? JSONSerialization.jsonObject(with: Data(json)) as? [String: Any],
      let entries = root["keys"] as? [[String: Any]]
    else { throw JWTKeyError("They must be a JSON Web Key Set: {\"keys\": […]}.") }
    let keys = JWTKeyCollection()
    var names: Set<String> = []
    for (index, entry) in entries.enumerated() where entry["use"] as? String ?? "sig" == "sig" {
      let name = entry["kid"] as? String ?? "key \(index)"
      guard try await Self.add(entry, name, to: keys) else { continue }
      guard names.insert(name).inserted else {
        throw JWTKeyError("Two of them have the “kid” “\(name)”.")
      }
    }
    guard !names.isEmpty else { throw JWTKeyError("None of them can be used to verify a token.") }
    (self.keys, self.names) = (keys, names)
    only = names.count == 1 ? names.first : nil
  }

  /// Whether a token that names this key, or none, can be verified.
  func has(_ name: String?) -> Bool { name.map(names.contains) ?? (only != nil) }

  /// - Throws: when the token's signature is not the key's, or it is not a token.
  func verified(_ token: SignedToken) async throws -> AccessToken {
    if token.keyName == nil && only == nil { throw JWTKeyError("The token names no key.") }
    // Without a name the collection takes its first key, which is the only one.
    return try await keys.verify(token.bytes, as: AccessToken.self)
  }

  /// Returns false for a kind that is not known.
  private static func add(
    _ entry: [String: Any], _ name: String, to keys: JWTKeyCollection
  ) async throws(JWTKeyError) -> Bool {
    var entry = entry
    entry["kid"] = name
    let algorithm = entry["alg"] as? String
    let identifier = JWKIdentifier(string: name)
    switch entry["kty"] as? String {
    case "oct":
      guard (algorithm ?? "HS256") == "HS256" else { return false }
      guard let secret = (entry["k"] as? String).flatMap({ Data(base64URL: Array($0.utf8)) }),
        secret.count >= 32
      else { throw JWTKeyError("The secret “\(name)” must have 32 bytes or more, as Base64 for URLs.") }
      await keys.add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256, kid: identifier)
      return true
    // A key's algorithm is fixed here: what a token names has no say in it.
    case "RSA": entry["alg"] = algorithm ?? "RS256"
    case "EC":
      guard let usual = ["P-256": "ES256", "P-384": "ES384", "P-521": "ES512"][entry["crv"] as? String ?? ""]
      else { return false }
      entry["alg"] = usual
    case "OKP": entry["alg"] = "EdDSA"
    default: return false
    }
    // A server needs no private keys, and is better off without.
    for part in ["d", "p", "q", "dp", "dq", "qi"] { entry[part] = nil }
    do {
      let json = try JSONSerialization.data(withJSONObject: entry)
      try await keys.add(jwk: try JSONDecoder().decode(JWK.self, from: json))
      return true
    } catch {
      throw JWTKeyError("The key “\(name)” cannot be used. (\(error))")
    }
  }
}
