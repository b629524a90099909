import Atomsync
import AtomsyncCore
import AtomsyncTesting
import Foundation
import Testing
import Transit

/// Rows as earlier versions wrote them, which ended a field earlier, are read.
@Suite(.timeLimit(.minutes(1))) struct EarlierRowsTests {
  /// Cuts the last field off every row of one kind, named by the first byte of their keys.
  private func cut(_ kind: Character, by count: Int, in storage: any Storage) async throws {
    let prefix = [try #require(kind.asciiValue)]
    let rows = try await storage.scan(StorageScan(KeyRange(prefix: prefix))).entries
    try #require(!rows.isEmpty)
    let writes = rows.map { StorageWrite.put($0.key, Array($0.value.dropLast(count))) }
    #expect(try await storage.commit(StorageBatch(writes: writes)) == .committed)
  }

  @Test func aReplicasRowsAreRead() async throws {
    let scene = try await Scene()
    let client = try await scene.client()
    let atom = try await scene.atom(of: client)
    let accepted = try atom.swap { $0["a"] = 1 }
    _ = try await accepted.confirmed()
    try await atom.settled()
    scene.network.always(.dropRequest, on: .push)
    let pending = try atom.swap { $0["b"] = 2 }
    try await atom.status { $0.inFlightCount == 1 && $0.lastError != nil }
    let cursor = try #require(scene.network.pushes.last?.cursor)
    try await client.close()
    scene.network.always(nil, on: .push)
    let disk = scene.disk.reopened()
    try await cut("A", by: 1, in: disk)  // whether the permission is withdrawn
    try await cut("V", by: 8, in: disk)  // the first edit of a verdict
    try await cut("F", by: 1 + 4 + cursor.text.utf8.count, in: disk)  // the cursor of the push in flight
    let again = try await scene.atom()
    #expect(again.contents == ["a": 1, "b": 2] && !again.status.isRevoked)
    #expect(try await again.receipt(accepted.id).confirmed().verdicts == ["a": .accepted(version: 1)])
    #expect(try await again.receipt(pending.id).confirmed().isAccepted)
    #expect(try await scene.server() == ["a": 1, "b": 2])
  }

  @Test func anAuthoritysRowsAreRead() async throws {
    let store = MemoryStorage()
    var configuration = Scene.configuration()
    configuration.storage = StorageProvider("kept memory") { _ in PrefixedStorage(store, prefix: []) }
    let push = PushRequest(
      group: "g", ticket: PushTicket(client: UUID(), number: 1),
      edits: [
        Edit(id: "a", version: 0, content: .value(Payload(bytes: try TransitValue.int(1).transit(.msgpack))))
      ])
    let authority = try await Authority.open(configuration)
    let answer = try await authority.push(push)
    await authority.close()
    try await cut("p", by: 8, in: store)  // the digest of the last push
    let again = try await Authority.open(configuration)
    #expect(try await again.push(push).accepted == answer.accepted)
  }
}
