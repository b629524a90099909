import AtomsyncCore
import Foundation
import Testing
import Transit

@testable import AtomsyncEngine

@Suite(.timeLimit(.minutes(1))) struct AuthorityChangesTests {
  private static func open(pageDocuments: Int = 500) async throws -> Authority {
    var limits = Limits()
    limits.pageDocuments = pageDocuments
    return try await Authority.open(AtomsyncConfiguration(storage: .memory, limits: limits))
  }

  private static func put(_ authority: Authority, _ id: String, group: String = "g") async throws {
    let content = Content.value(Payload(bytes: try TransitValue.int(1).transit(.msgpack)))
    _ = try await authority.push(
      PushRequest(group: group, edits: [Edit(id: id, version: 0, content: content)]))
  }

  @Test func whatIsThereAndThenWhatComes() async throws {
    let authority = try await Self.open(pageDocuments: 2)
    for id in ["a", "b", "c"] { try await Self.put(authority, id) }
    var pages = authority.changes(in: "g").makeAsyncIterator()
    #expect(try await pages.next()?.documents.map(\.id) == ["a", "b"])
    #expect(try await pages.next()?.documents.map(\.id) == ["c"])
    try await Self.put(authority, "x", group: "other")
    try await Self.put(authority, "d")
    let page = try #require(try await pages.next())
    #expect(page.documents.map(\.id) == ["d"])
    // Another goes on from there.
    var others = authority.changes(in: "g", after: page.cursor).makeAsyncIterator()
    try await Self.put(authority, "e")
    #expect(try await others.next()?.documents.map(\.id) == ["e"])
    // A cursor of another history begins anew.
    var strange = authority.changes(in: "g", after: Cursor("strange")).makeAsyncIterator()
    #expect(try await strange.next()?.isReset == true)
    await authority.close()
    #expect(try await pages.next()?.documents.map(\.id) == nil)
  }

  @Test func whoStopsIsForgotten() async throws {
    let authority = try await Self.open()
    try await Self.put(authority, "a")
    let other = authority.notifier.subscribe(to: ["g"])
    for try await page in authority.changes(in: "g") where page.documents.count == 1 { break }
    #expect(authority.notifier.sharedGeneration(of: "g") == nil, "one reader is left")
    let waiting = Task { for try await _ in authority.changes(in: "none") {} }
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    other.finish()
    await authority.close()
  }
}
