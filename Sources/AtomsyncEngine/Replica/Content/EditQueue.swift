/// The ids of documents with pending edits, in the order in which they are to be pushed.
///
/// May name a document that has nothing pending any more, or name one twice: whoever takes from it looks.
struct EditQueue: Sendable {
  private var ids: [String] = []
  private var start = 0

  var first: String? { start < ids.count ? ids[start] : nil }
  var all: ArraySlice<String> { ids[start...] }

  mutating func append(_ id: String) { ids.append(id) }

  mutating func removeFirst() {
    start += 1
    if start > 64 && start * 2 > ids.count {
      ids.removeFirst(start)
      start = 0
    }
  }

  /// Leaves out whatever is not so, and what is named twice. O(n)
  mutating func keep(where condition: (String) -> Bool) {
    var seen: Set<String> = []
    ids = ids[start...].filter { condition($0) && seen.insert($0).inserted }
    start = 0
  }

  mutating func prepend(_ earlier: [String]) {
    ids.replaceSubrange(..<start, with: earlier)
    start = 0
  }
}
