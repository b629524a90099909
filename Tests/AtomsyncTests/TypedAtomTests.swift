import Atomsync
import AtomsyncCore
import AtomsyncTesting
import Foundation
import Testing
import Transit

private struct Todo: Codable, Sendable, Equatable {
  enum Kind: String, Codable { case errand, work }
  var text: String
  var tags: Set<Keyword> = []
  var due: Date?
  var kind = Kind.errand
}

/// Atoms of an application's own type.
@Suite(.timeLimit(.minutes(1))) struct TypedAtomTests {
  private func todos(_ scene: Scene) async throws -> SyncedAtom<Todo> {
    try await scene.client().atom("todo", of: Todo.self, transport: scene.way)
  }

  @Test func valuesKeepTheirTypesThroughTheStoreAndTheServer() async throws {
    let scene = try await Scene()
    let todo = Todo(text: "milk", tags: ["home"], due: Date(timeIntervalSince1970: 1.5), kind: .work)
    let first = try await todos(scene)
    _ = try await first.swap { $0["a"] = todo }.confirmed()
    await first.close()
    #expect(try await todos(scene).value["a"] == todo)
    #expect(
      try await scene.server()["a"] == [
        .keyword("text"): "milk", .keyword("tags"): .set([.keyword("home")]),
        .keyword("due"): .instant(millisecondsSince1970: 1500), .keyword("kind"): .keyword("work"),
      ])
  }

  @Test func aFieldIsChangedInPlace() async throws {
    let atom = try await todos(try await Scene())
    try atom.swap { $0["a"] = Todo(text: "milk") }
    try atom.swap { $0["a"]?.text = "bread" }
    #expect(atom.value["a"]?.text == "bread")
    #expect(try atom.compareAndSet("a", expecting: Todo(text: "milk"), to: nil) == nil)
    #expect(try atom.compareAndSet("a", expecting: Todo(text: "bread"), to: nil) != nil)
    #expect(atom.value.isEmpty)
  }

  @Test func aDocumentOfANewerAppIsKeptAsItIs() async throws {
    let scene = try await Scene()
    let newer = try await scene.other()
    let unknown: TransitValue = [.keyword("headline"): "milk", .keyword("blocks"): [1, 2]]
    _ = try await newer.swap {
      $0["new"] = unknown
      $0["old"] = [.keyword("text"): "bread", .keyword("tags"): .set([]), .keyword("kind"): .keyword("work")]
    }.confirmed()
    let atom = try await todos(scene)
    try await atom.value { $0.count == 2 }
    #expect(atom.value["new"] == nil)
    #expect(atom.value.contains("new") && Set(atom.value.ids) == ["new", "old"])
    #expect(atom.value.map(\.id) == ["old"])  // a loop sees what it can
    #expect(atom.value.transit("new") == unknown)
    #expect(throws: DecodingError.self) { try atom.value.decoded("new") }
    _ = try await atom.swap { $0["old"]?.text = "butter" }.confirmed()
    #expect(try await scene.server()["new"] == unknown)
  }

  @Test func aBodyThatCannotBeDecodedDoesNotStopTheSync() async throws {
    let scene = try await Scene()
    scene.network.plan(.garbage, on: .pull)
    let atom = try await todos(scene)
    let other = try await scene.other()
    _ = try await other.swap { $0["a"] = [.keyword("text"): "milk"] }.confirmed()
    try await atom.value { $0.contains("a") }
    #expect(scene.network.pulls.count >= 2)
    _ = try await atom.swap { $0["b"] = Todo(text: "bread") }.confirmed()
    try await other.value { $0.contains("b") }
  }
}
