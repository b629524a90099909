internal import Crypto

/// A token that nobody can guess, and what a users file keeps of it.
public struct NewToken: Sendable {
  /// What the client sends: 43 characters of the alphabet of URLs, of 32 random bytes.
  public let text: String

  public init() {
    let key = SymmetricKey(size: .bits256)
    text = key.withUnsafeBytes { Self.encoded(Array($0)) }
  }

  /// The SHA-256 digest in hexadecimal digits, for `tokenSHA256`.
  public var digest: String {
    SHA256.hash(data: Array(text.utf8)).map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }
      .joined()
  }

  /// Base64 for URLs, without padding (RFC 4648 §5).
  private static func encoded(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    var text = ""
    var (bits, count) = (0, 0)
    for byte in bytes {
      bits = bits << 8 | Int(byte)
      count += 8
      while count >= 6 {
        count -= 6
        text.append(alphabet[bits >> count & 63])
      }
    }
    if count > 0 { text.append(alphabet[bits << (6 - count) & 63]) }
    return text
  }
}
