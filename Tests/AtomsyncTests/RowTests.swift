import Atomsync
import AtomsyncCore
import AtomsyncTesting
import Foundation
import Testing
import Transit

/// What a store holds that this program did not write: it is refused by name, and nothing is made of it.
@Suite(.timeLimit(.minutes(1))) struct RowTests {
  /// The end of a row with one more field: number 63, a flag.
  private let unknownField: [UInt8] = [63 << 2 | 2]
  private let store = SharedStore()

  /// Rows of every kind that a replica has: an atom, a base, pending edits, a push in flight, a conflict, a verdict.
  private func fillReplica() async throws {
    let client = try await client()
    let authority = try await Authority.open(Scene.configuration())
    let script = TransportScript()
    let atom = try await client.atom(
      "todo", transport: .scripted(script, over: .loopback(authority)),
      conflicts: .merge { _ in throw Refusal() })
    _ = try await atom.swap { $0["a"] = 1 }.confirmed()
    let other = Client(authority: authority, group: "todo")
    try await other.push([try .put("a", 2, at: 1)])
    script.isOnline = false
    try await atom.swap { $0["a"] = 3 }.saved()
    script.isOnline = true
    try? await atom.sync()
    script.isOnline = false
    try await atom.swap { $0["b"] = 4 }.saved()
    try await client.close()
    await authority.close()
  }

  private struct Refusal: Error {}

  private func client() async throws -> AtomsyncClient {
    var configuration = Scene.configuration()
    configuration.storage = store.provider
    return try await AtomsyncClient.open(configuration)
  }

  private func entries() -> [StorageEntry] {
    store.contents.read(StorageQuery(scans: [StorageScan(.all)])).scans[0].entries
  }

  /// Opens the atom on the store as it is; answers what it was refused with.
  private func refusal() async throws -> StorageError? {
    let client = try await client()
    defer { Task { try await client.close() } }
    do {
      let _: SyncedAtom<TransitValue> = try await client.atom("todo")
      return nil
    } catch let error as StorageError { return error }
  }

  @Test func aReplicaRefusesFieldsOfANewerProgram() async throws {
    try await fillReplica()
    let (whole, rows) = (store.contents, entries())
    var kinds: Set<UInt8> = []
    for row in rows.dropFirst() {  // the header has a format of its own
      var contents = whole
      _ = contents.apply(StorageBatch(writes: [.put(row.key, row.value + unknownField)]))
      store.contents = contents
      guard let error = try await refusal() else { continue }  // a verdict is not read by opening
      #expect(error.code == .newerFormat, "\(error)")
      kinds.insert(row.key[0])
    }
    #expect(kinds.count >= 4)
  }

  @Test func aReplicaRefusesRowsThatWereCutShort() async throws {
    try await fillReplica()
    let (whole, rows) = (store.contents, entries())
    for row in rows {
      for length in 0..<row.value.count {
        var contents = whole
        _ = contents.apply(StorageBatch(writes: [.put(row.key, Array(row.value.prefix(length)))]))
        store.contents = contents
        // What is cut at the end of a field may still be a row; what is not is said to be damaged.
        do { _ = try await refusal() } catch let error as StorageError {
          #expect(error.code == .corrupt, "\(error)")
        } catch { #expect(error is TransitError, "\(error)") }
      }
    }
  }

  @Test func anAuthorityRefusesFieldsOfANewerProgram() async throws {
    let first = Client(authority: try await store.authority())
    let ticket = PushTicket(client: UUID(), number: 1)
    try await first.push([try .put("a", 1)], ticket)
    await first.authority.close()
    let (whole, rows) = (store.contents, entries())
    var refusals = 0
    for row in rows.dropFirst() {
      var contents = whole
      _ = contents.apply(StorageBatch(writes: [.put(row.key, row.value + unknownField)]))
      store.contents = contents
      let client = Client(authority: try await store.authority())
      let problems = try await client.authority.verify().problems
      do {
        _ = try await client.pull()
        try await client.push([try .put("a", 2, at: 1)], ticket)
      } catch let error as StorageError {
        #expect(error.code == .newerFormat, "\(error)")
        #expect(!problems.isEmpty)
        refusals += 1
      } catch is ProtocolError {}
      await client.authority.close()
    }
    #expect(refusals >= 4)
  }
}
