internal import AtomsyncEngine
internal import Transit

/// Between an application's type and Transit. Values that are Transit already pass through, without the microseconds
/// that a cast takes: the types were compared just before, so the bits are that type's.
enum ElementCoding {
  static func encode<Element: Codable & Sendable>(_ element: Element) throws -> TransitValue {
    if Element.self == TransitValue.self { return unsafeBitCast(element, to: TransitValue.self) }
    return try TransitEncoder().encode(element)
  }

  static func decode<Element: Codable & Sendable>(_ value: TransitValue) throws -> Element {
    if Element.self == TransitValue.self { return unsafeBitCast(value, to: Element.self) }
    return try TransitDecoder().decode(Element.self, from: value)
  }

  /// What to store for an element that takes the place of another: the element, with what its type does not know of the other.
  static func encode<Element: Codable & Sendable>(
    _ element: Element, replacing old: (value: TransitValue, element: Element)?
  ) throws -> TransitValue {
    let new = try encode(element)
    guard Element.self != TransitValue.self, let old, let known = try? encode(old.element) else { return new }
    return UnknownFields.keeping(old.value, known: known, in: new)
  }
}
