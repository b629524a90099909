import AtomsyncCore
import AtomsyncHTTPServer
import Foundation
import HTTPTypes
import JWTKit
import Logging
import Testing

@testable import AtomsyncJWT

@Suite(.timeLimit(.minutes(1))) struct JWTTests {
  private struct Claims: JWTPayload {
    var sub: String? = "ann"
    var exp: Double? = Date().timeIntervalSince1970 + 600
    var nbf: Double?
    var iss: String?
    var aud: [String]?
    var groups: [String]? = ["todo", "team:*"]
    var access: String?

    enum CodingKeys: String, CodingKey {
      case sub, exp, nbf, iss, aud
      case groups = "atomsync:groups"
      case access = "atomsync:access"
    }

    func verify(using algorithm: some JWTAlgorithm) {}
  }

  private static let secret = Data((0..<32).map { UInt8($0) })
  private static let secretKey =
    #"{"kty":"oct","kid":"s","k":"\#(secret.base64EncodedString().replacing("=", with: "").replacing("/", with: "_").replacing("+", with: "-"))"}"#

  /// A file of keys, and what signs by each of them.
  private static func withKeys(
    _ body: (String, JWTKeyCollection) async throws -> Void
  ) async throws {
    let signers = JWTKeyCollection()
    await signers.add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256, kid: "s")
    let elliptic = ES256PrivateKey()
    await signers.add(ecdsa: elliptic, kid: "e")
    let edwards = try EdDSA.PrivateKey(curve: .ed25519)
    await signers.add(eddsa: edwards, kid: "d")
    let parameters = try #require(elliptic.publicKey.parameters)
    let json = """
      {"keys": [\(secretKey), {"kty": "EC", "kid": "e", "crv": "P-256", "x": "\(urlSafe(parameters.x))", "y": "\(urlSafe(parameters.y))"},
       {"kty": "OKP", "kid": "d", "crv": "Ed25519", "x": "\(urlSafe(edwards.publicKey.rawRepresentation.base64EncodedString()))"},
       {"kty": "new", "kid": "n"}, {"kty": "RSA", "use": "enc", "kid": "x"}]}
      """
    try await withFile(json) { try await body($0, signers) }
  }

  private static func urlSafe(_ text: String) -> String {
    text.replacing("=", with: "").replacing("/", with: "_").replacing("+", with: "-")
  }

  private static func withFile(_ text: String, _ body: (String) async throws -> Void) async throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "atomsync-jwks-\(UUID())").path
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try await body(path)
  }

  private static func request(_ token: String) -> HTTPRequest {
    var request = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/sync")
    request.headerFields[.authorization] = "Bearer \(token)"
    return request
  }

  @Test(arguments: ["s", "e", "d"]) func eachAlgorithm(key: String) async throws {
    try await Self.withKeys { path, signers in
      let authenticator = try await JWTAuthenticator(keys: .file(path))
      let token = try await signers.sign(Claims(access: "read"), kid: JWKIdentifier(string: key))
      let user = try #require(try await authenticator.user(of: Self.request(token)))
      #expect(user.name == "ann" && user.groups == ["todo", "team:*"] && user.access == .read)
      #expect(user.expires.map { $0 > Date(timeIntervalSinceNow: 600) } == true)
      // One bit of the signature.
      var bytes = Array(token.utf8)
      bytes[bytes.count - 10] ^= 1
      let changed = String(decoding: bytes, as: UTF8.self)
      #expect(try await authenticator.user(of: Self.request(changed)) == nil)
    }
  }

  @Test func whatATokenSaysHasToBeSo() async throws {
    try await Self.withKeys { path, signers in
      let authenticator = try await JWTAuthenticator(keys: .file(path), issuer: "us", audience: "sync")
      func user(_ change: (inout Claims) -> Void) async throws -> User? {
        var claims = Claims(iss: "us", aud: ["sync", "other"])
        change(&claims)
        return try await authenticator.user(of: Self.request(try await signers.sign(claims, kid: "s")))
      }
      let now = Date().timeIntervalSince1970
      #expect(try await user { _ in }?.access == .write)
      #expect(try await user { $0.exp = now - 10 } != nil, "within the leeway")
      #expect(try await user { $0.exp = now - 40 } == nil)
      #expect(try await user { $0.exp = nil } == nil)
      #expect(try await user { $0.nbf = now + 20 } != nil)
      #expect(try await user { $0.nbf = now + 60 } == nil)
      #expect(try await user { $0.iss = "them" } == nil)
      #expect(try await user { $0.aud = ["other"] } == nil)
      #expect(try await user { $0.aud = [] } == nil)
      #expect(try await user { $0.aud = nil } == nil)
      #expect(try await user { $0.sub = nil } == nil)
      #expect(try await user { $0.sub = "" } == nil)
      #expect(try await user { $0.groups = nil } == nil)
      #expect(try await user { $0.groups = ["a*b"] } == nil)
      #expect(try await user { $0.access = "admin" } == nil)
    }
  }

  /// What is signed with a key's public part as a secret, or not at all, is not the key's.
  @Test func anotherAlgorithmThanTheKeysIsRefused() async throws {
    try await Self.withKeys { path, signers in
      let authenticator = try await JWTAuthenticator(keys: .file(path))
      let signed = try await signers.sign(Claims(), kid: "s")
      let parts = signed.split(separator: ".")
      func header(_ json: String) -> String { Self.urlSafe(Data(json.utf8).base64EncodedString()) }
      for head in [
        #"{"alg":"none","kid":"s"}"#, #"{"alg":"HS256","kid":"e"}"#, #"{"alg":"HS256","kid":"gone"}"#,
      ] {
        for signature in ["", String(parts[2])] {
          let token = "\(header(head)).\(parts[1]).\(signature)"
          #expect(try await authenticator.user(of: Self.request(token)) == nil)
        }
      }
      for token in ["", "a", "a.b", "a.b.c", "..", "\(parts[0])..", String(signed.dropLast(20))] {
        #expect(try await authenticator.user(of: Self.request(token)) == nil)
      }
      let unnamed = "\(header(#"{"alg":"HS256"}"#)).\(parts[1]).\(parts[2])"
      #expect(try await authenticator.user(of: Self.request(unnamed)) == nil, "there are several keys")
    }
  }

  @Test func keysThatCannotBeUsedAreNamed() async throws {
    await #expect(throws: JWTKeyError.self) { try await JWTAuthenticator(keys: .file("/nowhere.json")) }
    #expect(throws: JWTKeyError.self) { try JWTKeySource.url("http://example.com/keys") }
    for json in [
      "", "[]", #"{"keys": []}"#, #"{"keys": [{"kty": "oct", "k": "AAAA"}]}"#, #"{"keys": [{"kty": "RSA"}]}"#,
      "{\"keys\": [\(Self.secretKey), \(Self.secretKey)]}",
    ] {
      try await Self.withFile(json) { path in
        let error = await #expect(throws: JWTKeyError.self) {
          try await JWTAuthenticator(keys: .file(path))
        }
        #expect(error?.message.contains(path) == true)
      }
    }
  }

  /// Nobody is let in, and nobody is told that the token was wrong.
  @Test func keysThatCannotBeReachedLetNobodyIn() async throws {
    let quiet = Logger(label: "quiet") { _ in SwiftLogNoOpLogHandler() }
    let authenticator = try await JWTAuthenticator(keys: .url("http://127.0.0.1:1/keys"), logger: quiet)
    let signers = JWTKeyCollection()
    await signers.add(hmac: HMACKey(from: Self.secret), digestAlgorithm: .sha256, kid: "s")
    let token = try await signers.sign(Claims(), kid: "s")
    let error = await #expect(throws: ProtocolError.self) {
      try await authenticator.user(of: Self.request(token))
    }
    #expect(error?.code == .unavailable)
  }
}
