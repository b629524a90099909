#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// What all parts of one decoding share.
final class DecodingContext {
  let prefersKeywords: Bool
  let userInfo: [CodingUserInfoKey: any Sendable]
  let leaves = LeafTable()
  /// Where the next key of a map is looked for first: after the last one found, since types ask in order.
  let hint = UnsafeMutablePointer<Int>.allocate(capacity: 1)

  init(_ options: TransitDecoder) {
    prefersKeywords = options.keyStrategy == .keywords
    userInfo = options.userInfo
    hint.initialize(to: 0)
  }

  deinit { hint.deallocate() }
}

/// Shows one Transit value to the type that is decoded from it.
///
/// A class, so that the containers and the type share it: a copy is one reference. Parts are passed by pointers into
/// the value, which the decoder keeps, so that looking at them counts no references.
final class ValueDecoder: Decoder {
  let value: TransitValue
  let context: DecodingContext
  /// How the value was come by; nil at the root.
  private let place: CodingStep.Place?
  private let parent: ValueDecoder?

  init(
    _ value: TransitValue, _ context: DecodingContext, at place: CodingStep.Place?, in parent: ValueDecoder?
  ) {
    self.value = value
    self.context = context
    self.place = place
    self.parent = parent
  }

  var codingPath: [any CodingKey] {
    guard let parent else { return [] }
    return place.map { parent.codingPath + [$0.key] } ?? parent.codingPath
  }

  var userInfo: [CodingUserInfoKey: Any] { context.userInfo }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard case .map(let map) = value else { throw mismatch([String: Any].self) }
    context.hint.pointee = 0
    return KeyedDecodingContainer(KeyedDecoding<Key>(map, of: self))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    switch value {
    case .array(let items), .list(let items): return UnkeyedDecoding(items: items, decoder: self)
    case .set(let set): return UnkeyedDecoding(items: set.elements, decoder: self)
    default: throw mismatch([Any].self)
    }
  }

  func singleValueContainer() throws -> any SingleValueDecodingContainer { SingleDecoding(decoder: self) }

  /// The decoder of a part.
  func inner(_ value: TransitValue, _ place: CodingStep.Place?) -> ValueDecoder {
    ValueDecoder(value, context, at: place, in: self)
  }

  func mismatch(_ type: any Any.Type) -> DecodingError {
    let place = DecodingError.Context(codingPath: codingPath, debugDescription: "found \(value.typeName)")
    return value.isNull ? .valueNotFound(type, place) : .typeMismatch(type, place)
  }

  func corrupted(_ message: String) -> DecodingError {
    .dataCorrupted(DecodingError.Context(codingPath: codingPath, debugDescription: message))
  }

  /// Makes a part of any type from its value. The place is asked for only where a path may be.
  @inline(__always)
  func decode<T: Decodable>(
    _ type: T.Type, _ value: UnsafePointer<TransitValue>, _ place: @autoclosure () -> CodingStep.Place?
  ) throws -> T {
    let entry = context.leaves.entry(type)
    let leaf = entry.pointee.leaf
    if leaf.isDirect { return try Leaf.decode(leaf, type, value) { inner(value.pointee, place()) } }
    let part = inner(value.pointee, place())
    if let collection = entry.pointee.collection { return try collection.decode(part, as: type) }
    return try part.decodeHere(type, leaf)
  }

  /// Makes a value of a type that describes itself by containers.
  func decodeHere<T: Decodable>(_ type: T.Type, _ leaf: Leaf) throws -> T {
    if leaf == .represented, let represented = type as? any TransitRepresentable.Type {
      if let result = try TransitHandlers.decode(represented, self) as? T { return result }
    }
    return try T(from: self)
  }

  /// Makes a part of a primitive type, whose value is mostly of the matching case.
  @inline(__always)
  func primitive<T: Primitive>(
    _ type: T.Type, _ value: UnsafePointer<TransitValue>, _ place: @autoclosure () -> CodingStep.Place?
  ) throws -> T {
    if let result = T(matching: value) { return result }
    return try T(converting: inner(value.pointee, place()))
  }
}
