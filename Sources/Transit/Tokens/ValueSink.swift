#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Builds values from tokens.
struct ValueSink: TokenSink, ~Copyable {
  static var buildsValues: Bool { true }

  var stack = ValueStack()

  @inline(__always)
  var isFull: Bool { false }

  @inline(__always)
  mutating func null(key: Bool) { stack.push(.null) }

  @inline(__always)
  mutating func bool(_ value: Bool, key: Bool) { stack.push(.bool(value)) }

  @inline(__always)
  mutating func int(_ value: Int64, key: Bool) { stack.push(.int(value)) }

  @inline(__always)
  mutating func double(_ value: Double, key: Bool) { stack.push(.double(value)) }

  @inline(__always)
  mutating func instant(_ value: Instant, key: Bool) { stack.push(.instant(value)) }

  @inline(__always)
  mutating func uuid(_ value: UUID, key: Bool) { stack.push(.uuid(value)) }

  @inline(__always)
  static func make(_ body: Text, _ kind: TextKind) -> TransitValue {
    switch kind {
    case .keyword: .keyword(Keyword(body.string))
    case .symbol: .symbol(Symbol(body.string))
    default: .string(body.string)
    }
  }

  @inline(__always)
  mutating func text(_ body: Text, kind: TextKind, key: Bool) { stack.push(Self.make(body, kind)) }

  mutating func newText(_ body: Text, kind: TextKind, key: Bool) -> TransitValue? {
    let value = Self.make(body, kind)
    stack.push(value)
    return value
  }

  @inline(__always)
  mutating func scalar(_ value: TransitValue, key: Bool) { stack.push(value) }

  @inline(__always)
  mutating func value(_ value: TransitValue) { stack.push(value) }

  @inline(__always)
  mutating func begin(_ kind: Composite, count: Int?) -> Int { stack.count }

  @inline(__always)
  mutating func end(_ kind: Composite, mark: Int, count: Int, distinct: Bool) {
    switch kind {
    case .array: stack.push(.array(stack.takeArray(from: mark)))
    case .list: stack.push(.list(stack.takeArray(from: mark)))
    case .set: stack.push(.set(TransitSet(flat: stack.take(from: mark), distinct: distinct)))
    case .map, .cmap: stack.push(.map(TransitMap(flat: stack.take(from: mark), distinct: distinct)))
    }
  }

  mutating func beginTagged(_ tag: Text) -> Int {
    stack.push(.string(tag.string))
    return stack.count &- 1
  }

  mutating func endTagged(mark: Int, kind: TagKind) throws(TransitError) {
    let rep = stack.pop()
    guard case .string(let tag) = stack.pop() else { return }
    switch kind {
    case .ratio: stack.push(try Self.ratio(rep))
    case .link: stack.push(try Self.link(rep))
    default: stack.push(.tagged(TransitTagged(tag: tag, rep: rep)))
    }
  }

  static func ratio(_ rep: TransitValue) throws(TransitError) -> TransitValue {
    guard case .array(let parts) = rep, parts.count == 2, let over = integer(parts[0]),
      let under = integer(parts[1]), under.text != "0"
    else {
      throw TransitError(.invalidRepresentation, "a ratio needs two integers, the second not zero")
    }
    return .ratio(TransitRatio(over, under))
  }

  private static func integer(_ value: TransitValue) -> TransitBigInteger? {
    switch value {
    case .bigInt(let value): value
    case .int(let value): TransitBigInteger(value)
    default: nil
    }
  }

  static func link(_ rep: TransitValue) throws(TransitError) -> TransitValue {
    guard case .map(let map) = rep, let link = TransitLink(map: map) else {
      throw TransitError(
        .invalidRepresentation, "a link needs a map with a URI for href and a string for rel")
    }
    return .link(link)
  }

  func keyText(mark: Int, pair: Int) -> String? {
    let position = mark + 2 * pair
    return position < stack.count ? stack[position].description : nil
  }
}
