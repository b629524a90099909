/// Which documents have to reach the server together, by the number of the swap that last bound them.
struct AtomicGroups: Sendable {
  private var members: [Int64: Set<String>] = [:]

  /// The documents of a group, in order.
  func documents(of group: Int64) -> [String] { members[group]?.sorted() ?? [] }

  /// How many documents would go together with these, which are of `groups`.
  func count(_ ids: [String], joining groups: Set<Int64>) -> Int {
    groups.reduce(into: Set(ids)) { $0.formUnion(members[$1] ?? []) }.count
  }

  mutating func add(_ id: String, to group: Int64) { members[group, default: []].insert(id) }

  /// Makes one group of some documents and of earlier groups. One document alone is no group.
  ///
  /// - Returns: the documents, in order.
  mutating func join(_ ids: [String], and earlier: Set<Int64>, as group: Int64) -> [String] {
    var joined = Set(ids)
    for group in earlier { joined.formUnion(members.removeValue(forKey: group) ?? []) }
    if joined.count > 1 { members[group] = joined }
    return joined.sorted()
  }

  /// Takes a document out. Returns those that it may have held up.
  mutating func remove(_ id: String, from group: Int64) -> [String] {
    members[group]?.remove(id)
    if members[group]?.isEmpty ?? false { members[group] = nil }
    return documents(of: group)
  }

  /// The groups, each with its documents.
  var all: [Int64: Set<String>] { members }
}
