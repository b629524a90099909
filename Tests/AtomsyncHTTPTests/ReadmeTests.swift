import AtomsyncHTTPServer
import AtomsyncKit
import AtomsyncLMDB
import Foundation
import Testing

// What the README shows, as it stands there: `readmeIsCompiled` compares the two.

private func inAnApp() async throws {
  // README: In an app
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
  // README: end
}

private func inAService() async throws {
  // README: In your own service
  let authority = try await Authority.open(AtomsyncConfiguration(storage: .lmdb("documents.lmdb")))
  let server = try SyncServer(authority)  // a ServiceLifecycle service, or routes for your router
  let client = try await AtomsyncClient.open(AtomsyncConfiguration(storage: .sqlite("replica.db")))
  let local = try await client.atom("todo", transport: .loopback(authority))  // no network in between
  // README: end
  _ = (server, local)
}

private func inATest() async throws -> SyncedAtom<TransitValue> {
  // README: In a test
  let authority = try await Authority.open(AtomsyncConfiguration(storage: .memory))
  let client = try await AtomsyncClient.open(AtomsyncConfiguration(storage: .memory))
  let todos = try await client.atom("todo", transport: .loopback(authority))
  // README: end
  return todos
}

@Suite("README")
struct ReadmeTests {
  @Test("Its Swift is what this file compiles", arguments: ["In an app", "In your own service", "In a test"])
  func readmeIsCompiled(section: String) throws {
    let here = URL(fileURLWithPath: #filePath)
    let root = here.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let readme = try String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
    let source = try String(contentsOf: here, encoding: .utf8)

    let shown = try #require(readme.components(separatedBy: "## \(section)\n").dropFirst().first)
      .components(separatedBy: "```swift\n")[1].components(separatedBy: "```")[0]
      .split(separator: "\n", omittingEmptySubsequences: true)
      .filter { !$0.hasPrefix("import ") }
    let compiled = try #require(source.components(separatedBy: "  // README: \(section)\n").dropFirst().first)
      .components(separatedBy: "  // README: end")[0]
      .split(separator: "\n", omittingEmptySubsequences: true).map { $0.dropFirst(2) }
    #expect(shown.map(String.init) == compiled.map(String.init))
  }

  @Test("Its test set-up works")
  func testSetUp() async throws {
    let todos = try await inATest()
    try await todos.ready()
    let receipt = try todos.swap { $0["todo:1"] = ["text": "Buy milk"] }
    #expect(try await receipt.confirmed(timeout: .seconds(10)).isAccepted)
    await todos.close()
  }
}
