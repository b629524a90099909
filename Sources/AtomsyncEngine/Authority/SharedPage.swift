package import AtomsyncCore

/// A page for all live readers that have come as far, with the bytes that it was encoded to.
package final class SharedPage: Sendable {
  package let page: PullPage
  /// The bytes of the page's values.
  let byteCount: Int
  private let encoded = Lock<[String?: [UInt8]]>([:])

  /// Readers of as many users share what is encoded; the page names the user.
  private static let users = 4

  init(_ page: PullPage) {
    self.page = page
    byteCount = page.documents.reduce(0) { $0 + $1.content.byteCount }
  }

  /// The bytes for readers of one user, made for the first of them.
  package func bytes(
    for user: String?, _ encode: (PullPage) throws -> [UInt8]
  ) rethrows -> [UInt8] {
    try encoded.withLock { encoded in
      if let bytes = encoded[user] { return bytes }
      let bytes = try encode(page)
      if encoded.count < Self.users { encoded[user] = bytes }
      return bytes
    }
  }
}
