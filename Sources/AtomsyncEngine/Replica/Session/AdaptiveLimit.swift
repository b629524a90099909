/// A size that shrinks when messages of it do not get through, and grows again when they do.
///
/// It halves, and doubles after a number of successes that itself doubles with each time it had to shrink: so a limit
/// that somebody on the way has (a proxy's, say) is found, and tried again ever more rarely.
struct AdaptiveLimit: Sendable {
  let maximum: Int
  private(set) var value: Int
  private var successes = 0
  private var needed = 1
  private static let mostNeeded = 64

  init(_ maximum: Int) {
    self.maximum = max(1, maximum)
    value = self.maximum
  }

  var isWhole: Bool { value == maximum }

  /// A message of this size has not got through.
  mutating func shrink(below size: Int) {
    value = max(1, min(value, size) / 2)
    successes = 0
    needed = min(needed * 2, Self.mostNeeded)
  }

  /// A message of this size has got through. Small ones say nothing of larger.
  mutating func succeed(at size: Int) {
    guard !isWhole, size > value / 2 else { return }
    successes += 1
    guard successes >= needed else { return }
    successes = 0
    value = min(maximum, value * 2)
  }
}
