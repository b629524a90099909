internal import AtomsyncCore

/// Slows down who guesses tokens, by address; whoever was let in there lately is let in all the same.
final class TokenGuard: Sendable {
  private struct Known: Hashable {
    var address: String
    var user: String
  }

  private let wrong: RateLimiter
  /// The users that had a right token lately, with the addresses they came from.
  private let known = Lock(Set<Known>())

  init(wrongTokens: Int) { wrong = RateLimiter(capacity: wrongTokens, perSecond: 1) }

  /// Looks a token up, unless its address has sent too many wrong ones: then a right one is answered like a wrong one.
  ///
  /// - Parameter address: `nil` where it is not known; nobody is slowed down then.
  /// - Throws: `ProtocolError` with `too-many-requests`.
  func user(token: String, from address: String?, in users: Users) throws -> User? {
    let user = users.user(token: token)
    guard let address else { return user }
    let visitor = user.map { Known(address: address, user: $0.name) }
    guard wrong.has(address) || known.withLock({ known in visitor.map(known.contains) ?? false }) else {
      throw ProtocolError(.tooManyRequests, "Too many wrong tokens came from this address. Try again later.")
    }
    guard let visitor else {
      _ = wrong.take(address)
      return nil
    }
    known.withLock { known in
      if known.count >= RateLimiter.maximumKeys { known.removeAll(keepingCapacity: true) }
      known.insert(visitor)
    }
    return user
  }
}
