internal import AtomsyncCore
internal import Foundation

/// The server's URL, once it has been checked, and what is asked of it.
struct Endpoint: Sendable {
  /// Without query.
  let url: String
  /// Another machine's, as far as the name tells.
  let isRemote: Bool

  /// - Throws: `TransportError` with `unsupported` for what is not an HTTP URL.
  init(_ text: String) throws {
    func refusal(_ reason: String) -> TransportError {
      TransportError(
        .unsupported,
        "“\(text)” cannot be a server's URL: \(reason) One looks like http://localhost:8090/sync.")
    }
    guard var parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased() else {
      throw refusal("it is not a URL.")
    }
    guard scheme == "http" || scheme == "https" else {
      throw refusal("it must begin with http:// or https://.")
    }
    guard let host = parts.host, !host.isEmpty else { throw refusal("it names no host.") }
    if parts.user != nil || parts.password != nil {
      // The text may hold a password: it is not repeated.
      throw TransportError(
        .unsupported, "A server's URL must not hold a user or password; give a token instead.")
    }
    if parts.query != nil || parts.fragment != nil { throw refusal("it must end with its path.") }
    if let port = parts.port, !(1...65_535).contains(port) { throw refusal("its port does not exist.") }
    if parts.path.isEmpty || parts.path == "/" { parts.path = "/sync" }
    guard let url = parts.string else { throw refusal("it is not a URL.") }
    self.url = url
    isRemote = !Loopback.isAddress(host.trimmingCharacters(in: ["[", "]"]))
  }

  func pull(_ request: PullRequest) -> String {
    var query = "group=\(Self.escaped(request.group))"
    switch request.start {
    case .beginning: break
    case .cursor(let cursor): query += "&cursor=\(Self.escaped(cursor.text))"
    case .since(let moment): query += "&since=\(moment)"
    }
    if let seen = request.seen { query += "&seen=\(Self.escaped(seen.text))" }
    if let limit = request.limit { query += "&limit=\(limit)" }
    return "\(url)?\(query)"
  }

  /// One stream names at most one `since` and one `limit`; a cursor names its own group.
  func live(_ request: LiveRequest) -> String {
    var query: [String] = []
    for pull in request.groups {
      query.append("group=\(Self.escaped(pull.group))")
      if case .cursor(let cursor) = pull.start { query.append("cursor=\(Self.escaped(cursor.text))") }
      if let seen = pull.seen { query.append("seen=\(Self.escaped(seen.text))") }
    }
    // The earliest: what is told twice does no harm, what is skipped does.
    let moments = request.groups.compactMap { if case .since(let moment) = $0.start { moment } else { nil } }
    let fromBeginning = request.groups.contains { $0.start == .beginning }
    if let moment = moments.min(), !fromBeginning { query.append("since=\(moment)") }
    if let limit = request.groups.compactMap(\.limit).min() { query.append("limit=\(limit)") }
    return "\(url)?\(query.joined(separator: "&"))"
  }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        result.unicodeScalars.append(UnicodeScalar(byte))
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        result += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
      }
    }
    return result
  }
}
