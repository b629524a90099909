/// Bounds on what a reader accepts and a writer produces.
///
/// The size of the input bounds what a reader builds: a length that points past the end of the input is an error before
/// anything is allocated for it. It does not bound what is written anew from it: there a text of a megabyte may stand where
/// the input has a cache code of two bytes. For input that is not trusted, limit the bytes as well.
public struct TransitLimits: Sendable, Hashable {
  /// How deep values may nest. A scalar has depth 0, `[]` has depth 1, `[[]]` depth 2; a tag counts as a level.
  ///
  /// Reading uses the call stack, a few hundred bytes a level: raise this only on a thread with room for it.
  public var depth = 512

  /// How many bytes a writer produces at most, and how many a reader hands on by ``TransitReader/readEncoded(as:)`` in all.
  /// What exceeds them throws `tooLarge` before another value is written. Default: no limit.
  public var bytes = Int.max

  /// - Parameters:
  ///   - depth: how deep values may nest.
  ///   - bytes: how many bytes may be written.
  public init(depth: Int = 512, bytes: Int = .max) {
    self.depth = depth
    self.bytes = bytes
  }

  /// What every other Transit accepts with ease: 512 levels.
  public static let standard = TransitLimits()
}
