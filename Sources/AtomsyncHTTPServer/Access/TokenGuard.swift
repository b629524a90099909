internal import AtomsyncCore
internal import Crypto

/// Slows down who guesses tokens, by address; whoever has a right one is let in all the same.
final class TokenGuard: Sendable {
  private let wrong: RateLimiter
  /// The tokens that were right lately, with the addresses they came from.
  private let right = Lock(Set<SHA256Digest>())

  init(wrongTokens: Int) { wrong = RateLimiter(capacity: wrongTokens, perSecond: 1) }

  /// Looks a token up, unless its address has sent too many wrong ones.
  ///
  /// - Throws: `ProtocolError` with `too-many-requests`.
  ///
  /// - Parameter address: `nil` where it is not known; nobody is slowed down then.
  func user(token: String, from address: String?, in users: Users) throws -> User? {
    guard let address else { return users.user(token: token) }
    let mark = SHA256.hash(data: Array((address + " " + token).utf8))
    guard wrong.has(address) || right.withLock({ $0.contains(mark) }) else {
      throw ProtocolError(.tooManyRequests, "Too many wrong tokens came from this address. Try again later.")
    }
    let user = users.user(token: token)
    if user == nil {
      _ = wrong.take(address)
    } else {
      right.withLock { right in
        if right.count >= RateLimiter.maximumKeys { right.removeAll(keepingCapacity: true) }
        right.insert(mark)
      }
    }
    return user
  }
}
