internal import Crypto
internal import Foundation

/// A token that nobody can guess, and what a users file keeps of it.
public struct NewToken: Sendable {
  /// What the client sends: 32 random bytes as 43 characters, Base64 for URLs without padding (RFC 4648 §5).
  public let text: String

  /// Makes a token of 32 random bytes.
  public init() {
    let bytes = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
    text = bytes.base64EncodedString()
      .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }

  /// The SHA-256 digest in hexadecimal digits, for `tokenSHA256`.
  public var digest: String {
    SHA256.hash(data: Data(text.utf8)).map { String(format: "%02x", $0) }.joined()
  }
}
