import Atomsync
import ServiceLifecycle

/// Counts the todos of a group, and writes the result into the group itself, for every device to see.
///
/// It is a replica like any other, in the server's own process.
struct CountingService: Service {
  struct Todo: Codable, Sendable {
    var isDone: Bool
  }

  struct Summary: Codable, Sendable, Equatable {
    var open: Int
    var done: Int
  }

  let authority: Authority
  let group: String

  func run() async throws {
    let client = try await AtomsyncClient.open(AtomsyncConfiguration(storage: .memory))
    let everything = try await client.atom(group, transport: .loopback(authority))
    let todos = everything.documents(of: Todo.self, prefix: "todo:")
    let summary = everything.documents(of: Summary.self, prefix: "summary")
    // The first value is what is there; then each change, until the service is asked to end.
    for await documents in todos.values.cancelOnGracefulShutdown() {
      let done = documents.count { $0.value.isDone }
      let counted = Summary(open: documents.count - done, done: done)
      if summary.value["summary"] != counted { try summary.swap { $0["summary"] = counted } }
    }
    try await client.close()
  }
}
