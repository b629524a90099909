/// The token of an `Authorization` header (RFC 6750 §2.1).
package enum BearerToken {
  /// What follows `Bearer`, in any case, and spaces; `nil` for another scheme. By bytes, since nobody is known yet.
  package static func text(of authorization: String) -> String? {
    let parts = authorization.utf8.split(separator: UInt8(ascii: " "), maxSplits: 1)
    guard parts.count == 2, String(parts[0])?.lowercased() == "bearer" else { return nil }
    return String(parts[1].drop { $0 == UInt8(ascii: " ") })
  }
}
