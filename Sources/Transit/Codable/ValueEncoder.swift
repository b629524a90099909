/// What all parts of one encoding share.
final class EncodingContext {
  let options: TransitEncoder
  let keywords: Bool
  let leaves = LeafTable()

  init(_ options: TransitEncoder) {
    self.options = options
    keywords = options.keyStrategy == .keywords
  }

  @inline(__always)
  func key(_ key: some CodingKey) -> TransitValue {
    keywords ? .keyword(Keyword(key.stringValue)) : .string(key.stringValue)
  }
}

/// Collects what one Swift value says of itself.
final class ValueEncoder: Encoder {
  enum Kind {
    case nothing, value, keyed, unkeyed
  }

  let context: EncodingContext
  let step: CodingStep?
  private var kind = Kind.nothing
  /// The single value, the elements, or the keys and values in turn.
  private var items: [TransitValue] = []
  /// Encoders of parts that may still say something, by the position of their value among the items.
  private var parts: [(position: Int, encoder: ValueEncoder)] = []
  /// Whether the value has a string for raw value, which may be written as a keyword.
  private(set) var isRaw = false

  init(_ context: EncodingContext, _ step: CodingStep?) {
    self.context = context
    self.step = step
  }

  var codingPath: [any CodingKey] { CodingStep.path(step) }
  var userInfo: [CodingUserInfoKey: Any] { context.options.userInfo }

  /// The value of all that was said; an empty map for a type that said nothing.
  var result: TransitValue {
    for part in parts { items[part.position] = part.encoder.result }
    parts = []
    switch kind {
    case .nothing: return .map(TransitMap())
    case .value: return items.first ?? .null
    case .unkeyed: return .array(items)
    case .keyed: return .map(TransitMap(flat: FlatValues(items), distinct: false))
    }
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    if kind == .nothing { kind = .keyed }
    return KeyedEncodingContainer(KeyedEncoding<Key>(encoder: self))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    if kind == .nothing { kind = .unkeyed }
    return UnkeyedEncoding(encoder: self)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { SingleEncoding(encoder: self) }

  /// How many elements there are.
  var count: Int { items.count }

  /// Says the one value of a type that is no container.
  func set(_ value: TransitValue) {
    kind = .value
    items = [value]
  }

  @inline(__always)
  func add(_ value: TransitValue) { items.append(value) }

  @inline(__always)
  func add(_ key: TransitValue, _ value: TransitValue) {
    items.append(key)
    items.append(value)
  }

  /// Adds the entries of a map to what was said, except under keys that were said already.
  func add(rest: TransitMap) {
    if kind == .nothing { kind = .keyed }
    guard kind == .keyed else { return }
    let said = TransitMap(flat: FlatValues(items), distinct: false)
    for (key, value) in rest where said[key] == nil { add(key, value) }
  }

  /// Begins a part whose value follows.
  func open(_ key: TransitValue?, _ place: CodingStep.Place) -> ValueEncoder {
    if let key { items.append(key) }
    let encoder = ValueEncoder(context, CodingStep(place, step))
    parts.append((items.count, encoder))
    items.append(.null)
    return encoder
  }

  /// The value of a part of any type. The place is asked for only where a path may be.
  @inline(__always)
  func encode<T: Encodable>(_ value: T, _ place: @autoclosure () -> CodingStep.Place?) throws -> TransitValue
  {
    let leaf = context.leaves.entry(T.self).pointee.leaf
    if leaf.isDirect { return Leaf.encode(leaf, value) }
    let encoder = ValueEncoder(context, place().map { CodingStep($0, step) } ?? step)
    return try encoder.encodeHere(value, leaf)
  }

  private func encodeHere<T: Encodable>(_ value: T, _ leaf: Leaf) throws -> TransitValue {
    switch leaf {
    case .collection:
      if let collection = value as? any TransitCollection { return try collection.encode(self) }
    case .represented:
      if let represented = value as? any TransitRepresentable { return try represented.transitValue }
    case .raw: isRaw = context.options.enumStrategy == .keywords
    default: break
    }
    try value.encode(to: self)
    return result
  }
}
