/// Which documents of an encrypted atom are not as they should be.
struct SealIndex: Sendable {
  /// Those that are there and cannot be shown.
  private(set) var unopened: Set<String> = []
  /// Those that are sealed by an older key, or not at all.
  private(set) var outdated: Set<String> = []
  /// Whether outdated ones are sealed anew: not where the server takes no writes of ours.
  var isResealing = true

  mutating func note(_ id: String, isUnopened: Bool, isOutdated: Bool) {
    if isUnopened { unopened.insert(id) } else { unopened.remove(id) }
    if isOutdated { outdated.insert(id) } else { outdated.remove(id) }
  }
}
