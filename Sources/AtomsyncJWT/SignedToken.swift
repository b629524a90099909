internal import Foundation

/// A token before anything of it is known to be true.
struct SignedToken: Sendable {
  let bytes: [UInt8]
  /// Which key it says that it was signed with.
  let keyName: String?

  /// `nil` when the bytes are no token: three parts, of which the first is an object in Base64 for URLs (RFC 7515 §3.1).
  init?(_ bytes: [UInt8]) {
    let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    struct Header: Decodable {
      var kid: String?
    }
    guard parts.count == 3, let first = Data(base64URL: parts[0]),
      let header = try? JSONDecoder().decode(Header.self, from: first)
    else { return nil }
    self.bytes = bytes
    keyName = header.kid
  }
}

extension Data {
  /// `nil` when the text is not Base64 for URLs without padding (RFC 4648 §5).
  init?(base64URL text: some Collection<UInt8>) {
    var plain = text.map { byte in
      switch byte {
      case UInt8(ascii: "-"): UInt8(ascii: "+")
      case UInt8(ascii: "_"): UInt8(ascii: "/")
      default: byte
      }
    }
    plain += Array(repeating: UInt8(ascii: "="), count: (4 - plain.count % 4) % 4)
    self.init(base64Encoded: Data(plain))
  }
}
