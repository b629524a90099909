import Atomsync
import AtomsyncCore
import AtomsyncTesting
import Foundation
import Testing
import Transit

/// A store that is put back to an earlier state, as a copy of its file does: whoever had seen more notices, and nobody
/// else is disturbed.
@Suite(.timeLimit(.minutes(1))) struct RestoredStoreTests {
  private let store = SharedStore()

  /// Three documents; a copy is made; "a" and "d" are written; the copy is put back; others write as much and more.
  private func restored() async throws -> (early: Cursor, late: Cursor, answer: PushAnswer, client: Client) {
    let before = try await store.authority()
    let client = Client(authority: before)
    try await client.push([try .put("a", 1), try .put("b", 1), try .put("c", 1)])
    let early = try await client.pull().cursor
    let copy = store.contents
    let answer = try await client.push([try .put("a", 2, at: 1), try .put("d", 2)])
    let late = try await client.pull().cursor
    await before.close()
    store.contents = copy
    let after = Client(authority: try await store.authority())
    try await after.push([try .put("a", 3, at: 1), try .put("e", 3), try .put("f", 3)])
    return (early, late, answer, after)
  }

  @Test func whoHadSeenMoreIsReset() async throws {
    let (_, late, answer, client) = try await restored()
    let page = try await client.pull(.cursor(late))
    #expect(page.isReset && Set(page.documents.map(\.id)) == ["a", "b", "c", "e", "f"])
    // What only a verdict had told of counts as well.
    let told = try #require(answer.seen)
    #expect(try await client.pull(.cursor(page.cursor), seen: told).isReset)
  }

  @Test func whoHadNotIsNotDisturbed() async throws {
    let (early, _, _, client) = try await restored()
    let page = try await client.pull(.cursor(early))
    #expect(!page.isReset && page.documents.map(\.id) == ["a", "e", "f"])
    #expect(try page.documents.first?.value() == 3)
    let edit = try Edit.put("b", 4, at: 1)
    let verdict = try await client.push([edit], cursor: early)
    #expect(verdict.accepted.count == 1 && !verdict.isReset)
  }

  /// "a" has version 2 here and there, with other values.
  @Test func anEditThatWasMadeThereIsStale() async throws {
    let (early, late, answer, client) = try await restored()
    let edit = try Edit.put("a", 4, at: 2)
    for (cursor, seen) in [(late, nil), (early, answer.seen)] {
      let verdict = try await client.push([edit], cursor: cursor, seen: seen)
      #expect(verdict.rejected.first?.reason == .stale && verdict.accepted.isEmpty)
      // Nothing may rest on what it has now.
      #expect(verdict.isReset && verdict.seen == nil)
    }
  }

  /// A page leaves out what has since been written anew. Were the cursor only as far as the page goes, that would be
  /// missed after the restore.
  @Test func aPageThatWasReadLaterIsNotContinued() async throws {
    let before = try await store.authority()
    let client = Client(authority: before)
    try await client.push([try .put("a", 1), try .put("b", 1), try .put("c", 1)])
    let copy = store.contents
    try await client.push([try .put("b", 2, at: 1)])
    // The first page of two ends at "c", which has the sequence 3: "b" was there, and is beyond now.
    let page = try await client.pull(limit: 2)
    #expect(page.documents.map(\.id) == ["a", "c"])
    await before.close()
    store.contents = copy
    let after = Client(authority: try await store.authority())
    let rest = try await after.pull(.cursor(page.cursor))
    #expect(rest.isReset && rest.documents.map(\.id) == ["a", "b", "c"])
  }

  /// The store goes back while authorities have it open, of which one has written what is gone now, or not: nobody takes
  /// what follows for the continuation.
  @Test(arguments: [(0, 0), (0, 1), (1, 0), (1, 1)])
  func aStoreThatGoesBackUnderItsAuthorities(before: Int, after: Int) async throws {
    let clients = [
      Client(authority: try await store.authority()), Client(authority: try await store.authority()),
    ]
    for (index, client) in clients.enumerated() { try await client.push([try .put("own\(index)", 1)]) }
    try await clients[0].push([try .put("a", 1)])
    let early = try await clients[0].pull().cursor
    let copy = store.contents
    let answer = try await clients[before].push([try .put("a", "taken back", at: 1), try .put("b", 1)])
    let late = try await clients[before].pull().cursor
    store.contents = copy
    try await clients[after].push([try .put("a", "new", at: 1), try .put("c", 1), try .put("d", 1)])
    for client in clients {
      #expect(try await client.pull(.cursor(late)).isReset)
      #expect(try await client.pull(.cursor(early), seen: answer.seen).isReset)
      #expect(try await client.pull(.cursor(early)).isReset == false)
      let verdict = try await client.push([try .put("a", "on what was taken back", at: 2)], cursor: late)
      #expect(verdict.isReset && verdict.rejected.map(\.reason) == [.stale])
    }
    #expect(try await clients[0].authority.verify().problems == [])
  }

  /// Who follows the store may have seen more than there is now.
  @Test(.timeLimit(.minutes(1))) func liveStreamsEndWhenTheStoreHasGoneBack() async throws {
    let client = Client(authority: try await store.authority())
    try await client.push([try .put("a", 1)])
    let copy = store.contents
    try await client.push([try .put("b", 1)])
    let (opened, hasOpened) = AsyncStream.makeStream(of: Void.self)
    let stream = Task {
      try await client.authority.live(LiveRequest(groups: [PullRequest(group: "todo")])) { event in
        if case .page = event { hasOpened.yield() }
      }
    }
    for await _ in opened { break }
    store.contents = copy
    try await client.push([try .put("c", 1)])
    try await stream.value
    hasOpened.finish()
  }

  @Test func severalRestoresInOneHistory() async throws {
    var cursors: [Cursor] = []
    let first = Client(authority: try await store.authority())
    try await first.push([try .put("a", 1)])
    let (copy, early) = (store.contents, try await first.pull().cursor)
    for round in 0..<5 {
      store.contents = copy
      let authority = try await store.authority()
      let client = Client(authority: authority)
      for cursor in cursors { #expect(try await client.pull(.cursor(cursor)).isReset) }
      #expect(try await client.pull(.cursor(early)).isReset == false)
      for step in 0...round { try await client.push([try .put("r\(round).\(step)", 1)]) }
      cursors.append(try await client.pull().cursor)
      #expect(try await authority.verify().problems == [])
      await authority.close()
    }
  }

  /// Restarts alone cost nobody a reset, and the store little.
  @Test func restartsDisturbNobody() async throws {
    var cursors: [Cursor] = []
    for round in 0..<20 {
      let authority = try await store.authority()
      let client = Client(authority: authority)
      for cursor in cursors { #expect(try await client.pull(.cursor(cursor)).isReset == false) }
      try await client.push([try .put("d\(round)", 1)])
      cursors.append(try await client.pull().cursor)
      await authority.close()
    }
    // A server that writes nothing begins nothing.
    let rows = store.contents.count
    for _ in 0..<20 { await (try await store.authority()).close() }
    #expect(store.contents.count == rows)
    #expect(try await store.authority().verify().problems == [])
  }

  /// An open conflict is found again after a restart although the versions agree.
  @Test func anOpenConflictIsFoundAgainByItsValue() async throws {
    struct NotNow: Error {}
    let authority = Lock(try await store.authority())
    var scene = Scene.configuration()
    let disk = FaultyStorage(MemoryStorage())
    scene.storage = StorageProvider("a disk") { _ in disk.reopened() }
    let way = TransportProvider("to whoever serves") { _ in
      LoopbackTransport(authority.withLock { $0 })
    }
    func others(_ value: TransitValue, at version: Int64) async throws {
      try await Client(authority: authority.withLock { $0 }).push([try .put("a", value, at: version)])
    }
    try await others("base", at: 0)
    let copy = store.contents
    try await others("v2", at: 1)
    var client = try await AtomsyncClient.open(scene)
    var atom = try await client.atom("g", transport: way, conflicts: .merge { _ in throw NotNow() })
    try await atom.settled()
    atom.pause()
    try atom.swap { $0["a"] = "mine" }  // on version 2
    await authority.withLock { $0 }.close()
    store.contents = copy
    let restored = try await store.authority()
    authority.withLock { $0 = restored }
    try await others("another v2", at: 1)
    try await client.close()

    client = try await AtomsyncClient.open(scene)
    atom = try await client.atom("g", transport: way, conflicts: .merge { _ in throw NotNow() })
    try await atom.status { $0.openConflictCount == 1 && $0.unsavedCount == 0 }
    try await client.close()
    let asked = Lock<[MergeInput]>([])
    client = try await AtomsyncClient.open(scene)
    atom = try await client.atom(
      "g", transport: way,
      conflicts: .merge { input in
        asked.withLock { $0.append(input) }
        return .string("both")
      })
    try await atom.settled()
    #expect(asked.withLock { $0.first?.remote } == "another v2")
    #expect(atom.contents == ["a": "both"])
    try await client.close()
  }
}
