#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// A composite value that Transit knows.
enum Composite {
  case array, list, set
  /// A map whose keys are all scalars.
  case map
  /// A map with any keys, as keys and values in turn.
  case cmap
}

/// What a reader does with the tokens it understands: build values, write another encoding, or nothing.
///
/// `key` says that a scalar is the key of a `map`; the keys of a `cmap` are ordinary values. `count` is nil where the
/// source does not tell it before the end. Tokens between `begin` and `end` belong to the composite.
protocol TokenSink: ~Copyable {
  /// Whether composites become values, so that representations can be examined after they were read.
  static var buildsValues: Bool { get }

  /// Whether the sink has taken more than it may. No value is read into it any more.
  var isFull: Bool { get }

  mutating func null(key: Bool)
  mutating func bool(_ value: Bool, key: Bool)
  mutating func int(_ value: Int64, key: Bool)
  mutating func double(_ value: Double, key: Bool)
  mutating func instant(_ value: Instant, key: Bool)
  mutating func uuid(_ value: UUID, key: Bool)
  /// A string, keyword or symbol by its body.
  mutating func text(_ body: Text, kind: TextKind, key: Bool)
  /// The same for a text that the reader's cache will keep; returns what it shall keep with it.
  mutating func newText(_ body: Text, kind: TextKind, key: Bool) -> TransitValue?
  /// Any other value without composites inside, a one-character tag on a text included.
  mutating func scalar(_ value: TransitValue, key: Bool)

  /// Begins a composite.
  ///
  /// - Returns: a mark that `end` must be given.
  mutating func begin(_ kind: Composite, count: Int?) -> Int
  /// Ends a composite of `count` items, keys and values counted each. `distinct` says that the keys of a map are known
  /// to differ.
  mutating func end(_ kind: Composite, mark: Int, count: Int, distinct: Bool)
  /// Begins a tag, which one value follows.
  mutating func beginTagged(_ tag: Text) -> Int
  mutating func endTagged(mark: Int, kind: TagKind) throws(TransitError)
  /// Takes a whole value, composites included.
  mutating func value(_ value: TransitValue) throws(TransitError)

  /// The key of the pair that is being read, as EDN, if the sink knows it.
  func keyText(mark: Int, pair: Int) -> String?
}
