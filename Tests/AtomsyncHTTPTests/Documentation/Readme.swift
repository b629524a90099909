import AtomsyncHTTPServer
import AtomsyncKit
import AtomsyncLMDB
import Foundation
import Testing

// What the README shows, as it stands there: `DocumentationTests` compares the two.

private func inAnApp() async throws {
  let atomsync = try await AtomsyncClient.open("my-app")  // SQLite in the user's data folder
  let todos = try await atomsync.atom("todo", server: "http://localhost:8090/sync")
  try await todos.ready()

  let receipt = try todos.swap {  // synchronous, in memory
    $0["todo:1"] = ["text": "Buy milk", "tags": .set([.keyword("groceries")])]
  }
  print(todos.value["todo:1"] ?? .null)  // a snapshot, at once
  try await receipt.saved()  // durable on this machine
  let confirmation = try await receipt.confirmed(timeout: .seconds(5))  // the server's verdict
  print(confirmation.isAccepted)
  todos.watch { change in print("changed:", change.ids) }  // here or on any other device
  try await atomsync.close()
}

private func inAService() async throws {
  let authority = try await Authority.open(AtomsyncConfiguration(storage: .lmdb("documents.lmdb")))
  let server = try SyncServer(authority)  // a ServiceLifecycle service, or routes for your router
  let client = try await AtomsyncClient.open(AtomsyncConfiguration(storage: .sqlite("replica.db")))
  let local = try await client.atom("todo", transport: .loopback(authority))  // no network in between
  _ = (server, local)
}

private func inATest() async throws -> SyncedAtom<TransitValue> {
  let authority = try await Authority.open(AtomsyncConfiguration(storage: .memory))
  let client = try await AtomsyncClient.open(AtomsyncConfiguration(storage: .memory))
  let todos = try await client.atom("todo", transport: .loopback(authority))
  return todos
}

@Suite struct ReadmeTests {
  @Test func itsTestSetUpWorks() async throws {
    let todos = try await inATest()
    try await todos.ready()
    let receipt = try todos.swap { $0["todo:1"] = ["text": "Buy milk"] }
    #expect(try await receipt.confirmed(timeout: .seconds(10)).isAccepted)
    await todos.close()
  }
}
