#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Takes tokens and does nothing, for values that nobody wants.
struct SkippingSink: TokenSink {
  static var buildsValues: Bool { false }

  var isFull: Bool { false }

  mutating func null(key: Bool) {}
  mutating func bool(_ value: Bool, key: Bool) {}
  mutating func int(_ value: Int64, key: Bool) {}
  mutating func double(_ value: Double, key: Bool) {}
  mutating func instant(_ value: Instant, key: Bool) {}
  mutating func uuid(_ value: UUID, key: Bool) {}
  mutating func text(_ body: Text, kind: TextKind, key: Bool) {}
  mutating func newText(_ body: Text, kind: TextKind, key: Bool) -> TransitValue? { nil }
  mutating func scalar(_ value: TransitValue, key: Bool) {}
  mutating func begin(_ kind: Composite, count: Int?) -> Int { 0 }
  mutating func end(_ kind: Composite, mark: Int, count: Int, distinct: Bool) {}
  mutating func beginTagged(_ tag: Text) -> Int { 0 }
  mutating func endTagged(mark: Int, kind: TagKind) {}
  mutating func value(_ value: TransitValue) {}
  func keyText(mark: Int, pair: Int) -> String? { nil }
}
