import AtomsyncKit
import Foundation

/// The list, as a person sees and changes it. Entries are numbered in the order in which they were made.
struct TodoList: Sendable {
  let todos: SyncedAtom<Todo>

  /// The lines of the list, and how it stands with the server.
  var lines: [String] {
    let entries = entries.enumerated().map { index, entry in
      "\(index + 1). [\(entry.value.isDone ? "x" : " ")] \(printable(entry.value.text))"
    }
    let status = todos.status
    let server = status.connection == .live ? "live" : "offline"
    return entries + ["-- \(entries.count) todos, \(status.pendingCount) pending, \(server)"]
  }

  /// Does what a line says.
  ///
  /// - Returns: what to answer, if anything.
  func perform(_ line: String) throws -> String? {
    let words = line.split(separator: " ", maxSplits: 1).map(String.init)
    switch (words.first, words.dropFirst().first) {
    case ("add", let text?): try todos.swap { $0[UUID().uuidString] = Todo(text: text) }
    case ("done", let number?): return try change(number) { $0?.isDone.toggle() }
    case ("edit", let rest?):
      let parts = rest.split(separator: " ", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { return "edit NUMBER TEXT" }
      return try change(parts[0]) { $0?.text = parts[1] }
    case ("remove", let number?): return try change(number) { $0 = nil }
    case (nil, _): break
    default: return "add TEXT, done NUMBER, edit NUMBER TEXT, remove NUMBER, quit"
    }
    return nil
  }

  /// What others have written is not the terminal's to obey.
  private func printable(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.properties.generalCategory != .control }))
  }

  private var entries: [(id: String, value: Todo)] { todos.value.sorted(by: \.created) }

  private func change(_ number: String, _ body: @escaping @Sendable (inout Todo?) -> Void) throws -> String? {
    let entries = entries
    guard let number = Int(number), (1...max(entries.count, 1)).contains(number), !entries.isEmpty else {
      return "There is no todo \(number)."
    }
    try todos.document(entries[number - 1].id).swap(body)
    return nil
  }
}
