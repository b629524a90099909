internal import HTTPTypes

extension HTTPFields {
  /// A field's value. The subscript has the same, but makes a new text of it, to join those of a field that comes several times.
  func value(of name: HTTPField.Name) -> String? {
    guard let first = firstIndex(where: { $0.name == name }) else { return nil }
    let isAlone = self[(first + 1)...].allSatisfy { $0.name != name }
    return isAlone ? self[first].value : self[name]
  }
}
