import Atomsync
import AtomsyncCore
import AtomsyncEngine
import Foundation
import Testing
import Transit

/// The rules of Docs/Protocol.md that are the authority's.
@Suite(.timeLimit(.minutes(1))) struct AuthorityTests {
  private let store = MemoryStorage()

  private func authority(_ adjust: (inout AtomsyncConfiguration) -> Void = { _ in }) async throws -> Authority
  {
    var configuration = Scene.configuration()
    let store = store
    configuration.storage = StorageProvider("shared memory") { _ in Shared(store) }
    adjust(&configuration)
    return try await Authority.open(configuration)
  }

  private func push(
    _ edits: [Edit], to authority: Authority, _ ticket: PushTicket? = nil, isAtomic: Bool = false,
    cursor: Cursor? = nil
  ) async throws -> PushAnswer {
    try await authority.push(
      PushRequest(group: "g", ticket: ticket, isAtomic: isAtomic, edits: edits, cursor: cursor))
  }

  private func put(_ id: String, _ value: TransitValue, at version: Int64 = 0) throws -> Edit {
    Edit(id: id, version: version, content: .value(Payload(bytes: try value.transit(.msgpack))))
  }

  private func delete(_ id: String, at version: Int64) -> Edit {
    Edit(id: id, version: version, content: .deleted)
  }

  private func pull(
    _ authority: Authority, from start: PullRequest.Start = .beginning, limit: Int? = nil
  ) async throws -> PullPage {
    try await authority.pull(PullRequest(group: "g", start: start, limit: limit))
  }

  // MARK: Pull

  /// A cursor is the client's to send, whatever it says.
  @Test(arguments: [Int64.max, Int64.max - 1, 4]) func aCursorThatWasTamperedWithIsReset(sequence: Int64)
    async throws
  {
    let authority = try await authority()
    _ = try await push([try put("d", 1)], to: authority)
    let cursor = try await pull(authority).cursor.text
    for place in [2, 3] {
      var parts = cursor.split(separator: ".").map(String.init)
      parts[place] = "\(sequence)"
      let page = try await pull(authority, from: .cursor(Cursor(parts.joined(separator: "."))))
      #expect(page.isReset && page.documents.map(\.id) == ["d"])
    }
  }

  @Test func pagesFollowOneAnotherExactly() async throws {
    let authority = try await authority()
    for number in 0..<7 { _ = try await push([try put("d\(number)", 1)], to: authority) }
    var (ids, start) = ([String](), PullRequest.Start.beginning)
    var page: PullPage
    repeat {
      page = try await pull(authority, from: start, limit: 3)
      #expect(page.documents.count <= 3 && !page.documents.isEmpty)
      ids += page.documents.map(\.id)
      start = .cursor(page.cursor)
    } while page.hasMore
    #expect(ids == (0..<7).map { "d\($0)" })
    let end = try await pull(authority, from: start)
    #expect(end.documents.isEmpty && !end.hasMore && !end.isReset)
    #expect(end.cursor == page.cursor)
  }

  @Test func aPageEndsByBytesToo() async throws {
    let authority = try await authority { $0.limits.pageBytes = 100 }
    for number in 0..<3 {
      let text = TransitValue.string(String(repeating: "x", count: 150))
      _ = try await push([try put("d\(number)", text)], to: authority)
    }
    let page = try await pull(authority)
    #expect(page.documents.count == 1)
    #expect(page.hasMore)
  }

  /// A push of small edits of large documents is answered without their values, beyond what a page may hold.
  @Test func theValuesOfStaleDocumentsAreBounded() async throws {
    let authority = try await authority { $0.limits.pageBytes = 1000 }
    let text = TransitValue.string(String(repeating: "x", count: 300))
    _ = try await push(try (0..<100).map { try put("d\($0)", text) }, to: authority)
    let answer = try await push((0..<100).map { delete("d\($0)", at: 7) }, to: authority)
    #expect(answer.rejected.count == 100 && answer.rejected.allSatisfy { $0.reason == .stale })
    let shown = answer.rejected.compactMap(\.current)
    #expect((3...16).contains(shown.count) && shown.allSatisfy { $0.content.byteCount > 300 })
  }

  @Test func aFirstPullLeavesOldTombstonesOutAndShowsLaterOnes() async throws {
    let authority = try await authority()
    for id in ["a", "b", "c"] { _ = try await push([try put(id, 1)], to: authority) }
    _ = try await push([delete("a", at: 1)], to: authority)
    let first = try await pull(authority, limit: 1)
    #expect(first.documents.map(\.id) == ["b"])
    _ = try await push([delete("c", at: 1)], to: authority)
    let second = try await pull(authority, from: .cursor(first.cursor))
    #expect(second.documents.map(\.id) == ["c"])
    #expect(second.documents.first?.content == .deleted)
    #expect(!second.hasMore)
  }

  @Test func sinceRepeatsAndNeverSkips() async throws {
    let moment = Lock<Int64>(1000)
    let authority = try await authority { $0.now = { Date(milliseconds: moment.withLock { $0 }) } }
    for (number, time) in ([1000, 1000, 2000, 2000, 2000, 3000] as [Int64]).enumerated() {
      moment.withLock { $0 = time }
      _ = try await push([try put("d\(number)", 1)], to: authority)
    }
    _ = try await push([delete("d0", at: 1)], to: authority)
    for (since, expected) in [(0, 6), (1000, 6), (1001, 5), (2000, 5), (2001, 2), (3000, 2), (3001, 0)] {
      let page = try await pull(authority, from: .since(Int64(since)))
      #expect(page.documents.count == expected, "since \(since)")
      #expect(try await pull(authority, from: .cursor(page.cursor)).documents.isEmpty)
    }
    // A clock that goes back does not hide anything.
    moment.withLock { $0 = 10 }
    _ = try await push([try put("late", 1)], to: authority)
    #expect(try await pull(authority, from: .since(3000)).documents.last?.id == "late")
  }

  /// A reset tells everything, also to who asked for what is newer than a moment.
  @Test func aResetIsWholeWhateverWasAskedFor() async throws {
    let authority = try await authority()
    _ = try await push([try put("a", 1)], to: authority)
    let page = try await authority.pull(
      PullRequest(group: "g", start: .since(.max / 2), seen: Cursor("unreadable")))
    #expect(page.isReset && page.documents.map(\.id) == ["a"])
  }

  @Test func aCursorThatCannotBeContinuedIsReset() async throws {
    let authority = try await authority()
    _ = try await push([try put("a", 1)], to: authority)
    let cursor = try await pull(authority).cursor
    let parts = cursor.text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    let broken = [
      "", "nonsense", "3." + parts.dropFirst().joined(separator: "."),  // unreadable
      cursor.text + String(repeating: "x", count: 500),
      cursor.text.replacingOccurrences(of: parts[1], with: UUID().uuidString),  // of an epoch that never was
      [parts[0], parts[1], "99", "1", "0", parts[5]].joined(separator: "."),  // read when the group was ahead
      [parts[0], parts[1], "1", "99", "99", parts[5]].joined(separator: "."),  // ahead of the group
      [parts[0], parts[1], parts[2], parts[3], parts[4], "other"].joined(separator: "."),  // of another group
      [parts[0], parts[1], "1", "-1", "0", parts[5]].joined(separator: "."),
    ]
    for text in broken {
      let page = try await pull(authority, from: .cursor(Cursor(text)))
      #expect(page.isReset, "\(text)")
      #expect(page.documents.map(\.id) == ["a"])
      #expect(try await pull(authority, from: .cursor(page.cursor)).isReset == false)
    }
  }

  @Test(arguments: ["", "a\n", String(repeating: "g", count: 129)]) func badGroups(group: String) async throws
  {
    let authority = try await authority()
    let error = await #expect(throws: ProtocolError.self) {
      try await authority.pull(PullRequest(group: group))
    }
    #expect(error?.code == .invalidGroup)
    await #expect(throws: ProtocolError.self) {
      try await authority.push(PushRequest(group: group, edits: []))
    }
  }

  @Test func aLimitBelowOneIsRefused() async throws {
    let authority = try await authority()
    let error = await #expect(throws: ProtocolError.self) { try await pull(authority, limit: 0) }
    #expect(error?.code == .invalidParameter)
  }

  // MARK: Push

  @Test func versionsGoOnThroughDeletionAndReturn() async throws {
    let authority = try await authority()
    for (edit, version) in [
      (try put("a", 1), 1), (try put("a", 2, at: 1), 2), (delete("a", at: 2), 3), (try put("a", 3), 4),
      (try put("a", 4, at: 4), 5),
    ] as [(Edit, Int64)] {
      let answer = try await push([edit], to: authority)
      #expect(answer.accepted.map(\.version) == [version])
    }
  }

  @Test func aStaleEditGetsTheServersDocument() async throws {
    let authority = try await authority()
    _ = try await push([try put("a", "theirs"), try put("b", 1)], to: authority)
    _ = try await push([delete("b", at: 1)], to: authority)
    let edits = [try put("a", 2), try put("b", 2, at: 1), try put("c", 2, at: 7), try put("d", 2)]
    let answer = try await push(edits, to: authority)
    #expect(answer.accepted.map(\.id) == ["d"])
    #expect(answer.rejected.map(\.id) == ["a", "b", "c"])
    #expect(answer.rejected.allSatisfy { $0.reason == .stale })
    #expect(answer.rejected.map { $0.current?.version } == [1, 2, 0])
    #expect(answer.rejected[0].current?.content == (try put("a", "theirs")).content)
    #expect(answer.rejected[1].current?.content == .deleted)
  }

  @Test func deletingNothingChangesNothing() async throws {
    let authority = try await authority()
    _ = try await push([try put("a", 1)], to: authority)
    _ = try await push([delete("a", at: 1)], to: authority)
    let cursor = try await pull(authority).cursor
    let answer = try await push([delete("a", at: 1), delete("never", at: 0)], to: authority)
    #expect(answer.accepted.map(\.version) == [2, 0])
    #expect(try await pull(authority, from: .cursor(cursor)).documents.isEmpty)
  }

  @Test func whatCanNeverGoIsRejected() async throws {
    let authority = try await authority { $0.limits.valueBytes = 10 }
    let long = TransitValue.string(String(repeating: "x", count: 20))
    let edits = [
      try put("a\n", 1), try put("", 1), try put("b", long), try put("c", 1, at: -1), try put("d", 1),
    ]
    let answer = try await push(edits, to: authority)
    #expect(answer.rejected.map(\.reason) == [.invalid, .invalid, .tooLarge, .invalid])
    #expect(answer.accepted.map(\.id) == ["d"])
  }

  @Test func anAtomicPushIsAllOrNothing() async throws {
    let authority = try await authority()
    _ = try await push([try put("a", 1)], to: authority)
    let spoiled = try await push(
      [try put("b", 1), try put("a", 2), try put("c", 1)], to: authority, isAtomic: true)
    #expect(spoiled.accepted.isEmpty)
    #expect(spoiled.rejected.map(\.reason) == [.aborted, .stale, .aborted])
    #expect(try await pull(authority).documents.map(\.id) == ["a"])
    let whole = try await push([try put("b", 1), try put("a", 2, at: 1)], to: authority, isAtomic: true)
    #expect(whole.accepted.count == 2)
  }

  @Test func malformedPushesChangeNothing() async throws {
    let authority = try await authority { $0.limits.documentsPerPush = 2 }
    for (edits, code) in [
      ([try put("a", 1), try put("a", 2)], ProtocolError.Code.duplicateID),
      ([try put("a", 1), try put("b", 2), try put("c", 3)], .tooLarge),
    ] {
      let error = await #expect(throws: ProtocolError.self) { try await push(edits, to: authority) }
      #expect(error?.code == code)
    }
    #expect(try await pull(authority).documents.isEmpty)
  }

  // MARK: Lost answers

  @Test func theSameNumberGetsTheSameVerdicts() async throws {
    let authority = try await authority()
    let client = UUID()
    _ = try await push([try put("s", 1)], to: authority)
    let edits = [try put("a", 1), try put("s", 2)]
    let first = try await push(edits, to: authority, PushTicket(client: client, number: 1))
    _ = try await push([try put("a", 9, at: 1)], to: authority)
    let again = try await push(edits, to: authority, PushTicket(client: client, number: 1))
    #expect(again.accepted == first.accepted)
    #expect(again.rejected.map(\.id) == first.rejected.map(\.id))
    #expect(again.rejected.first?.current?.content == (try put("s", 1)).content)
    #expect(try await pull(authority).documents.map(\.version) == [1, 2])
    _ = try await push([try put("b", 1)], to: authority, PushTicket(client: client, number: 2))
    let stale = await #expect(throws: ProtocolError.self) {
      try await push(edits, to: authority, PushTicket(client: client, number: 1))
    }
    #expect(stale?.code == .stalePush)
    // A client that was put back to an earlier state numbers another push as that one.
    for edits in [[try put("b", 2)], [try put("b", 1, at: 1)], [delete("b", at: 0)], [try put("x", 1)], []] {
      let error = await #expect(throws: ProtocolError.self) {
        try await push(edits, to: authority, PushTicket(client: client, number: 2))
      }
      #expect(error?.code == .stalePush)
    }
    let sameElsewhere = await #expect(throws: ProtocolError.self) {
      let cursor = try await pull(authority).cursor
      return try await push(
        [try put("b", 1)], to: authority, PushTicket(client: client, number: 2), cursor: cursor)
    }
    #expect(sameElsewhere?.code == .stalePush)
    let other = try await push([try put("c", 1)], to: authority, PushTicket(client: UUID(), number: 1))
    #expect(other.accepted.count == 1)
  }

  /// The record of a push has to be readable again, whatever number the client gave it.
  @Test(arguments: [-1, Int64.min, 1 << 62, .max]) func aNumberThatNoRecordCanHoldIsRefused(number: Int64)
    async throws
  {
    let authority = try await Authority.open(AtomsyncConfiguration(storage: .memory))
    let client = UUID()
    let error = await #expect(throws: ProtocolError.self) {
      try await push([try put("a", 1)], to: authority, PushTicket(client: client, number: number))
    }
    #expect(error?.code == .invalidParameter)
    for number: Int64 in [0, 1, (1 << 62) - 1] {
      let ticket = PushTicket(client: client, number: number)
      let answer = try await push([try put("\(number)", 1)], to: authority, ticket)
      #expect(try await push([try put("\(number)", 1)], to: authority, ticket).accepted == answer.accepted)
    }
    #expect(try await authority.verify().problems == [])
    await authority.close()
  }

  @Test func verdictsOutliveTheProcess() async throws {
    let ticket = PushTicket(client: UUID(), number: 1)
    let first = try await push([try put("a", 1)], to: try await authority(), ticket)
    let again = try await push([try put("a", 1)], to: try await authority(), ticket)
    #expect(again.accepted == first.accepted)
    #expect(again.rejected.isEmpty)
  }

  // MARK: Several authorities

  @Test func twoAuthoritiesOnOneStoreKeepOneOrder() async throws {
    let pair = [try await authority(), try await authority()]
    let edits = try (0..<40).map { try put("d\($0)", .int(Int64($0))) }
    let accepted = try await withThrowingTaskGroup(of: Int.self) { group in
      for (number, edit) in edits.enumerated() {
        let ticket = PushTicket(client: UUID(), number: 1)
        // Each push arrives at both, as when a proxy tries again elsewhere; and everybody also writes one document.
        for authority in pair {
          group.addTask {
            let shared = try self.put("shared", .int(Int64(number)))
            return try await self.push([edit, shared], to: authority, ticket).accepted.count {
              $0.id == "shared"
            }
          }
        }
      }
      return try await group.reduce(0, +)
    }
    #expect(accepted == 2)  // one push, told by both
    let page = try await pull(pair[0])
    #expect(page.documents.count == 41)
    #expect(page.documents.allSatisfy { $0.version == 1 })
    #expect(try await pull(pair[1]).documents == page.documents)
  }

  @Test func editsOfAnotherStoreAreStale() async throws {
    let authority = try await authority()
    _ = try await push([try put("a", 1)], to: authority)
    let mine = try await pull(authority).cursor
    let elsewhere = try await Authority.open(Scene.configuration())
    _ = try await push([try put("x", 1)], to: elsewhere)
    let foreign = try await pull(elsewhere).cursor
    let edits = [try put("a", 2, at: 1), try put("new", 1)]
    let answer = try await push(edits, to: authority, cursor: foreign)
    #expect(answer.rejected.map(\.reason) == [.stale])
    #expect(answer.accepted.map(\.id) == ["new"])
    #expect(try await push([try put("a", 2, at: 1)], to: authority, cursor: mine).accepted.count == 1)
  }

  // MARK: Compaction

  @Test func aPurgeRaisesTheHorizonAndTheVersions() async throws {
    let authority = try await authority { $0.retention = .seconds(-60) }
    let ticket = PushTicket(client: UUID(), number: 3)
    _ = try await push([try put("a", 1), try put("b", 1)], to: authority)
    let early = try await pull(authority).cursor
    _ = try await push([delete("a", at: 1)], to: authority, ticket)
    let late = try await pull(authority).cursor
    try await authority.purgeAfterAJump()
    let reset = try await pull(authority, from: .cursor(early))
    #expect(reset.isReset)
    #expect(reset.documents.map(\.id) == ["b"])
    let onward = try await pull(authority, from: .cursor(late))
    #expect(!onward.isReset && onward.documents.isEmpty)
    // The push records expired as well: an old number is new again.
    _ = try await push([try put("c", 1)], to: authority, PushTicket(client: ticket.client, number: 1))
    // No version of an id ever comes twice.
    let answer = try await push([try put("a", 2)], to: authority)
    #expect(answer.accepted.map(\.version) == [3])
  }

  @Test func aPurgeKeepsWhatIsAliveOrYoung() async throws {
    let authority = try await authority()
    _ = try await push([try put("a", 1), try put("b", 1)], to: authority)
    let cursor = try await pull(authority).cursor
    _ = try await push([delete("a", at: 1)], to: authority)
    try await authority.purgeAfterAJump()
    let page = try await pull(authority, from: .cursor(cursor))
    #expect(!page.isReset)
    #expect(page.documents.map(\.content) == [.deleted])
  }

  @Test func aClientsStoreIsNoServers() async throws {
    var configuration = Scene.configuration()
    let store = store
    configuration.storage = StorageProvider("shared memory") { _ in Shared(store) }
    try await AtomsyncClient.open(configuration).close()
    let error = await #expect(throws: StorageError.self) { _ = try await Authority.open(configuration) }
    #expect(error?.code == .foreign)
  }
}

/// One store for several, as another process would open it: closing a handle leaves it open for the others.
struct Shared: Storage {
  let store: any Storage
  init(_ store: any Storage) { self.store = store }
  var capabilities: StorageCapabilities { store.capabilities }
  func read(_ query: StorageQuery) async throws -> StorageSnapshot { try await store.read(query) }
  func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] {
    await Task.yield()
    return try await store.commit(batches)
  }
  func close() async {}
}
