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

  /// Counts what a token came to, and refuses it if its address has sent too many wrong ones: then a right one is answered
  /// like a wrong one.
  ///
  /// - Parameters:
  ///   - user: whom the token belongs to; `nil` for a wrong one.
  ///   - address: `nil` where it is not known; nobody is slowed down then.
  /// - Throws: `ProtocolError` with `too-many-requests`.
  func admit(_ user: User?, from address: String?) throws {
    guard let address else { return }
    let visitor = user.map { Known(address: address, user: $0.name) }
    guard wrong.has(address) || known.withLock({ known in visitor.map(known.contains) ?? false }) else {
      throw ProtocolError(.tooManyRequests, "Too many wrong tokens came from this address. Try again later.")
    }
    guard let visitor else {
      _ = wrong.take(address)
      return
    }
    known.withLock { known in
      if known.count >= RateLimiter.maximumKeys { known.removeAll(keepingCapacity: true) }
      known.insert(visitor)
    }
  }
}
