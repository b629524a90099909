/// A value with a tag that this library gives no meaning: kept whole, and written back as it was read.
///
/// Clojure's metadata arrives this way too: tag `with-meta`, a representation of `[value, meta]`.
public struct TransitTagged: Hashable, Sendable, CustomStringConvertible {
  /// The tag, without `~#` or `~`. One character is written as `~X…` when the representation is a string.
  public let tag: String
  /// What stands under the tag.
  public let rep: TransitValue

  /// - Parameters:
  ///   - tag: the tag, without `~#`. A tag that Transit itself defines is written as that
  ///     type; writing throws where it does not fit.
  ///   - rep: what stands under the tag.
  public init(tag: String, rep: TransitValue) {
    self.tag = tag
    self.rep = rep
  }

  /// The tagged value as EDN.
  public var description: String { TransitValue.tagged(self).description }

  /// Whether the tags have the same bytes of UTF-8 and the representations are equal.
  public static func == (left: Self, right: Self) -> Bool {
    ExactText.equal(left.tag, right.tag) && left.rep == right.rep
  }

  /// Hashes the tag and the representation.
  public func hash(into hasher: inout Hasher) {
    ExactText.hash(tag, into: &hasher)
    hasher.combine(rep)
  }
}
