#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Makes Transit from Swift values of `Encodable` types: the mirror image of ``TransitDecoder``.
///
/// `Date` becomes an instant (whole milliseconds), `UUID`, `URL` (URI), `Data` (bytes), `Decimal` (big decimal) and
/// `Set` their Transit types, a dictionary a map with keys of its own type, a nil in an array `null`. A
/// ``TransitValue`` anywhere is taken over as it is, in O(1).
public struct TransitEncoder: Sendable {
  /// How the names of properties are written.
  public var keyStrategy: TransitKeyStrategy = .keywords
  /// How enums with a string for raw value are written.
  public var enumStrategy: TransitEnumStrategy = .keywords
  /// Passed to the types being encoded, as `encoder.userInfo`.
  public var userInfo: [CodingUserInfoKey: any Sendable] = [:]

  public init() {}

  /// Makes a Transit value from a Swift value.
  public func encode<T: Encodable>(_ value: T) throws -> TransitValue {
    try ValueEncoder(EncodingContext(self), []).encodeElement(value)
  }

  /// Makes the bytes of one top-level Transit value from a Swift value.
  public func encode<T: Encodable>(_ value: T, format: TransitFormat) throws -> [UInt8] {
    try encode(value).transit(format)
  }
}

/// What all parts of one encoding share.
final class EncodingContext {
  let options: TransitEncoder
  var leaves = LeafTable()

  init(_ options: TransitEncoder) {
    self.options = options
  }

  @inline(__always)
  func key(_ key: some CodingKey) -> TransitValue {
    options.keyStrategy == .keywords ? .keyword(Keyword(key.stringValue)) : .string(key.stringValue)
  }
}

/// Collects what one Swift value says of itself.
final class ValueEncoder: Encoder {
  /// What was said so far.
  enum Content {
    case nothing
    case value(TransitValue)
    case keyed([(key: TransitValue, part: Part)])
    case unkeyed([Part])
  }

  /// A part that is complete, or one whose encoder is still out.
  enum Part {
    case value(TransitValue)
    case encoder(ValueEncoder)

    var result: TransitValue {
      switch self {
      case .value(let value): value
      case .encoder(let encoder): encoder.result
      }
    }
  }

  let context: EncodingContext
  let codingPath: [any CodingKey]
  var content = Content.nothing
  /// Whether the value has a string for raw value, which may be written as a keyword.
  var isRaw = false

  init(_ context: EncodingContext, _ codingPath: [any CodingKey]) {
    self.context = context
    self.codingPath = codingPath
  }

  var userInfo: [CodingUserInfoKey: Any] { context.options.userInfo }

  /// The value of all that was said; an empty map for a type that said nothing.
  var result: TransitValue {
    switch content {
    case .nothing: .map(TransitMap())
    case .value(let value): value
    case .keyed(let entries): .map(TransitMap(entries.lazy.map { (key: $0.key, value: $0.part.result) }))
    case .unkeyed(let parts): .array(parts.map(\.result))
    }
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    if case .nothing = content { content = .keyed([]) }
    return KeyedEncodingContainer(KeyedEncoding<Key>(encoder: self))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    if case .nothing = content { content = .unkeyed([]) }
    return UnkeyedEncoding(encoder: self)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { SingleEncoding(encoder: self) }

  func inner(_ key: any CodingKey) -> ValueEncoder { ValueEncoder(context, codingPath + [key]) }

  func add(_ key: TransitValue, _ part: Part) {
    guard case .keyed(var entries) = content else { return }
    content = .nothing
    entries.append((key, part))
    content = .keyed(entries)
  }

  func add(_ part: Part) {
    guard case .unkeyed(var parts) = content else { return }
    content = .nothing
    parts.append(part)
    content = .unkeyed(parts)
  }

  var partCount: Int {
    switch content {
    case .keyed(let entries): entries.count
    case .unkeyed(let parts): parts.count
    default: 0
    }
  }

  /// The value of a part.
  func encode<T: Encodable>(_ value: T, _ key: any CodingKey) throws -> TransitValue {
    let leaf = context.leaves.leaf(T.self)
    if let result = Self.leaf(leaf, value) { return result }
    let encoder = inner(key)
    return try encoder.encodeHere(value, leaf)
  }

  /// The value of an element that adds nothing to the path.
  func encodeElement<T: Encodable>(_ value: T) throws -> TransitValue {
    let leaf = context.leaves.leaf(T.self)
    if let result = Self.leaf(leaf, value) { return result }
    return try ValueEncoder(context, codingPath).encodeHere(value, leaf)
  }

  private func encodeHere<T: Encodable>(_ value: T, _ leaf: Leaf) throws -> TransitValue {
    if leaf == .collection, let collection = value as? any TransitCollection {
      return try collection.encode(self)
    }
    isRaw = leaf == .raw && context.options.enumStrategy == .keywords
    try value.encode(to: self)
    return result
  }

  private static func leaf<T>(_ leaf: Leaf, _ value: T) -> TransitValue? {
    switch leaf {
    case .none, .raw, .collection, .custom: nil
    case .value: value as? TransitValue
    case .string: (value as? String).map { .string($0) }
    case .date: (value as? Date).map { .instant(Instant($0)) }
    case .uuid: (value as? UUID).map { .uuid($0) }
    case .url: (value as? URL).map { .uri($0.absoluteString) }
    case .data: (value as? Data).map { .bytes([UInt8]($0)) }
    case .decimal: (value as? Decimal).map { .bigDecimal(TransitBigDecimal($0)) }
    case .keyword: (value as? Keyword).map { .keyword($0) }
    case .symbol: (value as? Symbol).map { .symbol($0) }
    case .instant: (value as? Instant).map { .instant($0) }
    case .bigInteger: (value as? TransitBigInteger).map { .bigInt($0) }
    case .bigDecimal: (value as? TransitBigDecimal).map { .bigDecimal($0) }
    case .map: (value as? TransitMap).map { .map($0) }
    case .set: (value as? TransitSet).map { .set($0) }
    }
  }
}
