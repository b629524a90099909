import AtomsyncKit
import Foundation

// A todo list in the terminal. Two windows, each with a store of its own, share it live:
//
//   make serve
//   swift run TodoList left.db
//   swift run TodoList right.db

let arguments = CommandLine.arguments.dropFirst()
guard arguments.count <= 2, !arguments.contains(where: { $0.hasPrefix("-") }) else {
  print("TodoList [STORE [SERVER]]")
  exit(2)
}
let store = arguments.first ?? "todos.db"
let server = arguments.dropFirst().first ?? "http://localhost:8090/sync"
let isTerminal = isatty(STDOUT_FILENO) == 1

/// What cannot be opened is told in one line.
func opened<Value>(_ open: () async throws -> Value) async -> Value {
  do { return try await open() } catch {
    print(error)
    exit(2)
  }
}
let client = await opened { try await AtomsyncClient.open(AtomsyncConfiguration(storage: .sqlite(store))) }
let todos = await opened { try await client.atom("todos", of: Todo.self, server: server) }
let list = TodoList(todos: todos)

@Sendable func show(_ answer: String? = nil) {
  let lines = list.lines + (answer.map { [$0] } ?? [])
  // A terminal is cleared and ends with a prompt.
  let text =
    (isTerminal ? "\u{1B}[2J\u{1B}[H" : "") + lines.joined(separator: "\n") + (isTerminal ? "\n> " : "\n")
  // Where nobody reads it any more there is nothing to show.
  try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
}

let changes = Task { for await _ in todos.values { show() } }
let statuses = Task { for await _ in todos.statuses { show() } }

// Typing is waited for on a thread of its own.
let typed = AsyncStream<String> { continuation in
  Thread.detachNewThread {
    while let line = readLine(), line != "quit" { continuation.yield(line) }
    continuation.finish()
  }
}
for await line in typed {
  do { show(try list.perform(line)) } catch { show("\(error)") }
}
changes.cancel()
statuses.cancel()
try await client.close()
