internal import AtomsyncHTTPServer
internal import Foundation
internal import JWTKit

/// What a token says.
struct AccessToken: JWTPayload {
  var subject: String
  var expires: Date
  var notBefore: Date?
  var issuer: String?
  var audience: [String]
  var groups: [String]
  var access: User.Access

  private enum CodingKeys: String, CodingKey {
    case sub, exp, nbf, iss, aud
    case groups = "atomsync:groups"
    case access = "atomsync:access"
  }

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    subject = try fields.decode(String.self, forKey: .sub)
    expires = Date(timeIntervalSince1970: try fields.decode(Double.self, forKey: .exp))
    notBefore = try fields.decodeIfPresent(Double.self, forKey: .nbf).map { Date(timeIntervalSince1970: $0) }
    issuer = try fields.decodeIfPresent(String.self, forKey: .iss)
    if let one = try? fields.decode(String.self, forKey: .aud) {
      audience = [one]
    } else {
      audience = try fields.decodeIfPresent([String].self, forKey: .aud) ?? []
    }
    groups = try fields.decode([String].self, forKey: .groups)
    let access = try fields.decodeIfPresent(String.self, forKey: .access) ?? User.Access.write.rawValue
    guard let known = User.Access(rawValue: access) else {
      throw DecodingError.dataCorruptedError(
        forKey: .access, in: fields, debugDescription: "neither read nor write")
    }
    self.access = known
    guard (1...128).contains(subject.utf8.count), groups.allSatisfy(User.isPattern) else {
      throw DecodingError.dataCorruptedError(forKey: .groups, in: fields, debugDescription: "not valid")
    }
  }

  func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(subject, forKey: .sub)
    try fields.encode(expires.timeIntervalSince1970, forKey: .exp)
    try fields.encodeIfPresent(notBefore?.timeIntervalSince1970, forKey: .nbf)
    try fields.encodeIfPresent(issuer, forKey: .iss)
    try fields.encode(audience, forKey: .aud)
    try fields.encode(groups, forKey: .groups)
    try fields.encode(access.rawValue, forKey: .access)
  }

  /// The signature alone: what the claims mean is the authenticator's.
  func verify(using algorithm: some JWTAlgorithm) {}
}
