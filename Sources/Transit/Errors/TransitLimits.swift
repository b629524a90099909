/// Bounds on what a reader accepts and a writer produces.
///
/// The size of the input bounds everything else: a length that points past the end of the input is an error before
/// anything is allocated for it.
public struct TransitLimits: Sendable, Hashable {
  /// How deep values may nest. A scalar has depth 0, `[]` has depth 1, `[[]]` depth 2; a tag counts as a level.
  ///
  /// Reading uses the call stack, a few hundred bytes a level: raise this only on a thread with room for it.
  public var depth = 512

  /// - Parameter depth: how deep values may nest.
  public init(depth: Int = 512) {
    self.depth = depth
  }

  /// What every other Transit accepts with ease: 512 levels.
  public static let standard = TransitLimits()
}
