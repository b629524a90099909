package import AtomsyncCore

/// A page for all live readers that have come as far, with what it was encoded to.
package final class SharedPage: Sendable {
  package let page: PullPage
  /// The bytes of the page's values.
  let byteCount: Int
  private let encoded = Lock<[String?: any Sendable]>([:])

  /// Readers of as many users share what is encoded; the page names the user.
  private static let users = 4

  init(_ page: PullPage) {
    self.page = page
    byteCount = page.documents.reduce(0) { $0 + $1.content.byteCount }
  }

  /// What readers of one user are sent, made for the first of them.
  package func encoded<Form: Sendable>(
    for user: String?, _ encode: (PullPage) throws -> Form
  ) rethrows -> Form {
    try encoded.withLock { encoded in
      if let form = encoded[user] as? Form { return form }
      let form = try encode(page)
      if encoded.count < Self.users { encoded[user] = form }
      return form
    }
  }
}
