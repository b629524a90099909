import AtomsyncKit
import AtomsyncLMDB
import Foundation
import Testing

@testable import AtomsyncHTTPServer

/// One day in the life of two replicas and a server, the same over every storage and transport.
@Suite("End to end", .timeLimit(.minutes(1)))
struct EndToEndTests {
  enum StorageKind: String, CaseIterable, Sendable {
    case memory, sqlite, lmdb

    func provider(_ name: String, in folder: URL) -> StorageProvider {
      let path = folder.appendingPathComponent(name).path
      switch self {
      case .memory: return .memory
      case .sqlite: return .sqlite(path + ".db")
      case .lmdb: return .lmdb(path + ".lmdb")
      }
    }
  }

  @Test("Over HTTP", arguments: StorageKind.allCases)
  func overHTTP(kind: StorageKind) async throws {
    try await withFolder { folder in
      try await TestServer.run(storage: kind.provider("server", in: folder)) { server in
        try await converge(kind, in: folder, .http(server.url))
      }
    }
  }

  @Test("Over loopback", arguments: StorageKind.allCases)
  func overLoopback(kind: StorageKind) async throws {
    try await withFolder { folder in
      let authority = try await Authority.open(
        AtomsyncConfiguration(storage: kind.provider("server", in: folder)))
      try await converge(kind, in: folder, .loopback(authority))
      await authority.close()
    }
  }

  /// A right is taken away and given back, as an administrator does, and the atom follows.
  @Test func aWithdrawnRightEmptiesTheAtomAndNotItsPendingEdits() async throws {
    try await TestServer.run(users: .aliceAndBob()) { server in
      let client = try await AtomsyncClient.open(AtomsyncConfiguration())
      let atom = try await client.atom("team:a", transport: .http(server.url, token: "abc123"))
      _ = try await atom.swap { $0["a"] = 1 }.confirmed(timeout: .seconds(20))
      for await status in atom.statuses where status.connection == .live { break }
      server.server.endpoint.replaceUsers(try Users([User("alice", token: "abc123", groups: ["todo"])]))
      for await status in atom.statuses where status.isRevoked { break }
      let receipt = try atom.swap { $0["b"] = 2 }
      #expect(atom.value == ["b": 2])
      server.server.endpoint.replaceUsers(try .aliceAndBob())
      atom.resume()
      #expect(try await receipt.confirmed(timeout: .seconds(20)).isAccepted)
      for await value in atom.values where value.count == 2 { break }
      #expect(atom.value == ["a": 1, "b": 2] && !atom.status.isRevoked)
      try await client.close()
    }
  }

  /// Two replicas edit, one of them without the server for a while, and agree in the end.
  private func converge(_ kind: StorageKind, in folder: URL, _ way: TransportProvider) async throws {
    let a = try await AtomsyncClient.open(AtomsyncConfiguration(storage: kind.provider("a", in: folder)))
    let b = try await AtomsyncClient.open(AtomsyncConfiguration(storage: kind.provider("b", in: folder)))
    let left = try await a.atom("todo", transport: way)
    let right = try await b.atom("todo", transport: way)
    try await left.ready()
    try await right.ready()

    // Everything that Transit knows arrives as it was.
    let milk: TransitValue = [
      "text": "Buy milk", "done": false, "tags": .set([.keyword("groceries")]),
      "at": .instant(Instant(milliseconds: 1_790_000_000_000)), "id": .uuid(UUID()),
    ]
    #expect(try await left.swap { $0["todo:1"] = milk }.confirmed(timeout: .seconds(20)).isAccepted)
    for await documents in right.values where documents["todo:1"] != nil { break }
    #expect(right.value["todo:1"] == milk)

    // One is offline for a while; both go on.
    right.pause()
    try right.swap { documents in
      documents["todo:2"] = "written offline"
      documents["todo:1"] = nil
    }
    try left.swap { $0["todo:3"] = "written online" }
    try await left.sync()
    #expect(right.status.pendingIDs == ["todo:1", "todo:2"])
    #expect(left.value["todo:1"] != nil)

    right.resume()
    try await right.sync()
    try await left.sync()
    #expect(left.value == right.value)
    #expect(left.value["todo:1"] == nil)
    #expect(left.value["todo:2"] == "written offline")
    #expect(right.value["todo:3"] == "written online")

    // The same document on both sides: one is accepted, the other is told.
    left.pause()
    right.pause()
    try left.swap { $0["todo:2"] = "left" }
    let loser = try right.swap { $0["todo:2"] = "right" }
    left.resume()
    try await left.sync()
    right.resume()
    let confirmation = try await loser.confirmed(timeout: .seconds(20))
    guard case .superseded = confirmation.verdicts["todo:2"] else {
      Issue.record("\(confirmation)")
      return
    }
    #expect(right.value["todo:2"] == "left")
    #expect(right.conflicts.map(\.local) == ["right"])

    try await a.close()
    try await b.close()
    if kind != .memory { try await reopen(kind, in: folder) }
  }

  /// What was there is there again, with no server at all.
  private func reopen(_ kind: StorageKind, in folder: URL) async throws {
    let client = try await AtomsyncClient.open(
      AtomsyncConfiguration(storage: kind.provider("b", in: folder)))
    let atom = try await client.atom("todo")
    #expect(atom.value.count == 2)
    #expect(atom.value["todo:2"] == "left")
    #expect(atom.conflicts.count == 1)
    try await client.close()
  }

  private func withFolder(_ body: (URL) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(folder)
  }
}
