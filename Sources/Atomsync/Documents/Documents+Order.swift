extension Documents {
  /// The documents that can be decoded, in the order of their ids (that of Unicode's code points). O(n log n)
  public func sorted() -> [(id: String, value: Element)] {
    sorted { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
  }

  /// The documents that can be decoded, in the order of something of theirs; those that do not differ in it in the order of their ids. O(n log n)
  ///
  /// ```swift
  /// for (id, todo) in todos.value.sorted(by: \.due) { … }
  /// ```
  public func sorted<Value: Comparable>(
    by property: KeyPath<Element, Value>, descending: Bool = false
  ) -> [(id: String, value: Element)] {
    let sorted = sorted()
    let keys = sorted.map { $0.value[keyPath: property] }
    // Stable, since what is equal keeps its place.
    let order = sorted.indices.sorted {
      keys[$0] == keys[$1] ? $0 < $1 : descending ? keys[$1] < keys[$0] : keys[$0] < keys[$1]
    }
    return order.map { sorted[$0] }
  }
}
