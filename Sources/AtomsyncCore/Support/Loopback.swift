/// The names and addresses under which a machine reaches itself.
package enum Loopback {
  /// Whether it is `localhost`, `::1` or one of 127.0.0.0/8.
  package static func isAddress(_ host: some StringProtocol) -> Bool {
    if ["localhost", "::1"].contains(host.lowercased()) { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }
}
