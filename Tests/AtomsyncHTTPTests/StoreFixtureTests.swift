import AtomsyncEncryption
import AtomsyncKit
import Foundation
import Testing

/// Stores that earlier versions have written are opened, and nothing of them is lost.
@Suite(.timeLimit(.minutes(1))) struct StoreFixtureTests {
  /// A folder with copies of the stores of one format.
  private static func copies(_ format: String) throws -> URL {
    let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/\(format)")
    let folder = FileManager.default.temporaryDirectory.appending(path: "atomsync-\(UUID())")
    try FileManager.default.copyItem(at: fixtures, to: folder)
    return folder
  }

  private static func configuration(_ file: URL) -> AtomsyncConfiguration {
    AtomsyncConfiguration(storage: .sqlite(file.path))
  }

  @Test func formatOneIsOpened() async throws {
    let folder = try Self.copies("store-format-1")
    defer { try? FileManager.default.removeItem(at: folder) }
    let authority = try await Authority.open(Self.configuration(folder.appending(path: "server.db")))
    let before = try await authority.verify()
    #expect(before.problems.isEmpty && before.documents == 3)
    let client = try await AtomsyncClient.open(Self.configuration(folder.appending(path: "phone.db")))

    // Without the server first: what the replica holds.
    let offline = try await client.atom("todo")
    #expect(offline.value.ids.sorted() == ["todo:2", "todo:4", "todo:5", "todo:6"])
    #expect(offline.value["todo:2"] == "from the laptop")
    #expect(offline.status.pendingCount == 4 && offline.status.inFlightCount > 0)
    let conflict = try #require(offline.conflicts.first)
    #expect(conflict.document == "todo:2" && conflict.outcome == .serverWon)
    #expect(conflict.local == "from the phone" && conflict.base == "second")
    await offline.close()

    // Its cursor is continued, its push in flight and all else is sent.
    let atom = try await client.atom("todo", transport: .loopback(authority))
    try await atom.sync()
    let first = try await authority.pull(PullRequest(group: "todo"))
    let values = try first.documents.map { document in
      try document.content.payload.map { try TransitValue(transit: $0.bytes, format: .msgpack) }
    }
    #expect(Set(values) == ["from the laptop", "pending", "in flight", "later"])
    #expect(!first.documents.contains { $0.id == "todo:1" })
    try await client.close()
    #expect(try await authority.verify().problems == [])
    await authority.close()

    let again = try await AtomsyncClient.open(Self.configuration(folder.appending(path: "phone.db")))
    #expect(try await again.atom("todo").value.ids.count == 4)
    try await again.close()
  }

  /// The same with a key, which seals the store as it is opened, and the server's documents by and by.
  @Test func formatOneIsSealed() async throws {
    let folder = try Self.copies("store-format-1")
    defer { try? FileManager.default.removeItem(at: folder) }
    let phone = Self.configuration(folder.appending(path: "phone.db"))
    let adopting = EncryptionProvider.keys(
      KeyRing(writing: EncryptionKey()), local: true, adoptingUnsealed: true)
    let authority = try await Authority.open(Self.configuration(folder.appending(path: "server.db")))
    for _ in 0..<2 {
      let client = try await AtomsyncClient.open(phone)
      let offline = try await client.atom("todo", encryption: adopting)
      #expect(offline.value.ids.sorted() == ["todo:2", "todo:4", "todo:5", "todo:6"])
      #expect(offline.status.pendingCount == 4 && offline.status.inFlightCount > 0)
      #expect(offline.conflicts.first?.local == "from the phone")
      try await client.close()
    }
    let client = try await AtomsyncClient.open(phone)
    let error = await #expect(throws: SyncError.self) { try await client.atom("todo") }
    #expect(error?.code == .encrypted)
    let atom = try await client.atom("todo", transport: .loopback(authority), encryption: adopting)
    for await status in atom.statuses where status.pendingCount == 0 && status.outdatedCount == 0 { break }
    #expect(atom.value.count == 4 && atom.status.unopenedCount == 0)
    let page = try await authority.pull(PullRequest(group: "todo"))
    let values = try page.documents.compactMap(\.content.payload).map {
      try TransitValue(transit: $0.bytes, format: .msgpack).description
    }
    #expect(values.count == 4 && values.allSatisfy { $0.hasPrefix("#sealed") })
    try await client.close()
    await authority.close()
  }
}
