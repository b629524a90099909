internal import AtomsyncEngine
internal import Transit

/// Between an application's type and Transit. Values that are Transit already pass through, without the microseconds
/// that a cast takes: the types were compared just before, so the bits are that type's.
enum ElementCoding {
  static func encode<Element: Codable & Sendable>(_ element: Element) throws -> TransitValue {
    if Element.self == TransitValue.self { return unsafeBitCast(element, to: TransitValue.self) }
    return try TransitEncoder().encode(element)
  }

  /// - Throws: what keeps the value from being an element; `UnopenedDocument` for a sealed one that cannot be opened.
  static func decode<Element: Codable & Sendable>(_ value: TransitValue) throws -> Element {
    if let unopened = UnopenedDocument(value) { throw unopened }
    if Element.self == TransitValue.self { return unsafeBitCast(value, to: Element.self) }
    return try TransitDecoder().decode(Element.self, from: value)
  }

  /// What to store for an element that takes the place of a document: the element, with what its type does not know of the document.
  ///
  /// - Parameter old: is decoded anew, since what was decoded before may be an object that has become the new element.
  /// - Throws: when the document is no `Element`, or what it decodes to cannot be encoded: what is unknown of it cannot be told.
  static func encode<Element: Codable & Sendable>(
    _ element: Element, replacing old: TransitValue?
  ) throws -> TransitValue {
    let new = try encode(element)
    guard Element.self != TransitValue.self, let old else { return new }
    return UnknownFields.keeping(old, known: try known(of: old, Element.self), in: new)
  }

  /// What a type makes of a document.
  static func known<Element: Codable & Sendable>(
    of value: TransitValue, _ type: Element.Type
  ) throws -> TransitValue { try encode(try decode(value) as Element) }
}

extension String {
  /// Whether it begins with a prefix, by bytes: an accent that follows makes a character another one.
  func begins(with prefix: String) -> Bool { utf8.starts(with: prefix.utf8) }
}
