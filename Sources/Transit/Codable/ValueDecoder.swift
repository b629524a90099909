#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// What all parts of one decoding share.
final class DecodingContext {
  let keyStrategy: TransitKeyStrategy
  let userInfo: [CodingUserInfoKey: any Sendable]
  let leaves = LeafTable()
  /// Where the next key of a map is looked for first: after the last one found, since types ask in order.
  let hint = UnsafeMutablePointer<Int>.allocate(capacity: 1)

  init(_ options: TransitDecoder) {
    keyStrategy = options.keyStrategy
    userInfo = options.userInfo
    hint.initialize(to: 0)
  }

  deinit { hint.deallocate() }
}

/// Shows one Transit value to the type that is decoded from it.
struct ValueDecoder: Decoder {
  let value: TransitValue
  let context: DecodingContext
  let step: CodingStep?

  @inline(__always)
  init(_ value: TransitValue, _ context: DecodingContext, _ step: CodingStep?) {
    self.value = value
    self.context = context
    self.step = step
  }

  var codingPath: [any CodingKey] { CodingStep.path(step) }
  var userInfo: [CodingUserInfoKey: Any] { context.userInfo }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard case .map(let map) = value else { throw mismatch([String: Any].self, value) }
    context.hint.pointee = 0
    return KeyedDecodingContainer(KeyedDecoding<Key>(map: map, context: context, step: step))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    switch value {
    case .array(let items), .list(let items): return UnkeyedDecoding(items: items, decoder: self)
    case .set(let set): return UnkeyedDecoding(items: set.elements, decoder: self)
    default: throw mismatch([Any].self, value)
    }
  }

  func singleValueContainer() throws -> any SingleValueDecodingContainer { SingleDecoding(decoder: self) }

  /// The decoder of a part.
  func inner(_ value: TransitValue, _ place: CodingStep.Place?) -> ValueDecoder {
    ValueDecoder(value, context, place.map { CodingStep($0, step) } ?? step)
  }

  func mismatch(_ type: any Any.Type, _ value: TransitValue) -> DecodingError {
    let place = DecodingError.Context(codingPath: codingPath, debugDescription: "found \(value.typeName)")
    return value.isNull ? .valueNotFound(type, place) : .typeMismatch(type, place)
  }

  func corrupted(_ message: String) -> DecodingError {
    .dataCorrupted(DecodingError.Context(codingPath: codingPath, debugDescription: message))
  }

  /// Makes a part of any type from its value. The place is asked for only where a path may be.
  @inline(__always)
  func decode<T: Decodable>(
    _ type: T.Type, _ value: TransitValue, _ place: @autoclosure () -> CodingStep.Place?
  ) throws -> T {
    let entry = context.leaves.entry(type)
    let leaf = entry.pointee.leaf
    if leaf.isDirect {
      do {
        return try Leaf.decode(leaf, type, value, self)
      } catch is DecodingError {
        // Once more, with the longer path.
        return try Leaf.decode(leaf, type, value, inner(value, place()))
      }
    }
    if let collection = entry.pointee.collection {
      return try collection.decode(value, inner(value, place()), as: type)
    }
    return try inner(value, place()).decodeHere(type, leaf)
  }

  /// Makes a value of a type that describes itself by containers.
  func decodeHere<T: Decodable>(_ type: T.Type, _ leaf: Leaf) throws -> T {
    if leaf == .represented, let represented = type as? any TransitRepresentable.Type {
      if let result = try TransitHandlers.decode(represented, value, self) as? T { return result }
    }
    return try T(from: self)
  }
}

// What primitive types take.
extension ValueDecoder {
  @inline(__always)
  func bool(_ value: TransitValue) throws -> Bool {
    guard case .bool(let result) = value else { throw mismatch(Bool.self, value) }
    return result
  }

  @inline(__always)
  func string(_ value: TransitValue) throws -> String {
    guard case .string(let result) = value else { throw mismatch(String.self, value) }
    return result
  }

  /// The name that stands for a raw-valued type, in any of its forms.
  func name(_ value: TransitValue) throws -> String {
    switch value {
    case .string(let result): result
    case .keyword(let keyword): keyword.text
    case .symbol(let symbol): symbol.text
    default: throw mismatch(String.self, value)
    }
  }

  @inline(__always)
  func integer<T: FixedWidthInteger>(_ value: TransitValue, _ type: T.Type = T.self) throws -> T {
    if case .int(let number) = value, let result = T(exactly: number) { return result }
    return try rareInteger(value, type)
  }

  private func rareInteger<T: FixedWidthInteger>(_ value: TransitValue, _ type: T.Type) throws -> T {
    switch value {
    case .int(let number): throw corrupted("\(T.self) does not hold \(number)")
    case .bigInt(let number):
      guard let result = number.exactly(T.self) else { throw corrupted("\(T.self) does not hold \(number)") }
      return result
    default: throw mismatch(type, value)
    }
  }

  @inline(__always)
  func double(_ value: TransitValue) throws -> Double {
    if case .double(let number) = value { return number }
    guard case .int(let number) = value else { throw mismatch(Double.self, value) }
    guard let result = Double(exactly: number) else { throw corrupted("Double does not hold \(number)") }
    return result
  }
}
