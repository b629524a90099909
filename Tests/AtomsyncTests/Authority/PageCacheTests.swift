import AtomsyncCore
import Foundation
import Testing

@testable import AtomsyncEngine

@Suite(.timeLimit(.minutes(1))) struct PageCacheTests {
  private let cache = PageCache()
  private let reads = Lock(0)

  private func read(
    _ key: PageCache.Key, now: MonotonicTime = .now, bytes: Int = 1
  ) async throws -> SharedPage {
    try await cache.page(key, now: now) { [reads] in
      let number = reads.withLock { reads in
        reads += 1
        return reads
      }
      let content = Content.value(Payload(bytes: Array(repeating: 0, count: bytes)))
      return PullPage(
        group: key.group, documents: [Document(id: "d", version: 1, updated: 0, content: content)],
        store: UUID(), cursor: Cursor("\(number)"), hasMore: false, now: 0)
    }
  }

  private func key(_ cursor: String?, generation: Int = 1) -> PageCache.Key {
    PageCache.Key(group: "g", cursor: cursor, limit: nil, bytes: 1, generation: generation)
  }

  @Test func readersAtOnePlaceShareAPage() async throws {
    try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<100 { group.addTask { try await read(key("a")).page.cursor.text } }
      for try await cursor in group { #expect(cursor == "1") }
    }
    #expect(reads.withLock { $0 } == 1)
    #expect(try await read(key("b")).page.cursor.text == "2")
    #expect(try await read(key(nil)).page.cursor.text == "3")
    #expect(try await read(key("a", generation: 2)).page.cursor.text == "4")
  }

  @Test func aPageIsHandedOutForAMoment() async throws {
    let began = MonotonicTime.now
    #expect(try await read(key("a"), now: began).page.cursor.text == "1")
    #expect(try await read(key("a"), now: began + .milliseconds(999)).page.cursor.text == "1")
    #expect(try await read(key("a"), now: began + .seconds(1)).page.cursor.text == "2")
    #expect(try await read(key("a"), now: began + .milliseconds(1500)).page.cursor.text == "2")
  }

  @Test func oldPagesMakeRoom() async throws {
    let now = MonotonicTime.now
    for number in 0..<33 { _ = try await read(key("\(number)"), now: now) }
    #expect(try await read(key("32"), now: now).page.cursor.text == "33")
    #expect(try await read(key("0"), now: now).page.cursor.text == "34")
  }

  @Test func aLargePageIsNotKept() async throws {
    for expected in ["1", "2"] {
      let page = try await read(key("a"), bytes: 129 << 10).page
      #expect(page.cursor.text == expected)
    }
  }

  /// A reader that was told of a commit asks for a page of its generation.
  @Test func aCommitBeginsAGeneration() throws {
    let notifier = ChangeNotifier()
    #expect(notifier.sharedGeneration(of: "g") == nil)
    let first = notifier.subscribe(to: ["g", "h"])
    #expect(notifier.sharedGeneration(of: "g") == nil, "one reader shares with nobody")
    let second = notifier.subscribe(to: ["g"])
    let generation = try #require(notifier.sharedGeneration(of: "g"))
    notifier.notify(["h"])
    #expect(notifier.sharedGeneration(of: "g") == generation)
    notifier.notify(["g"])
    let next = try #require(notifier.sharedGeneration(of: "g"))
    #expect(next > generation)
    second.finish()
    #expect(notifier.sharedGeneration(of: "g") == nil)
    first.finish()
    let others = [notifier.subscribe(to: ["g"]), notifier.subscribe(to: ["g"])]
    #expect(try #require(notifier.sharedGeneration(of: "g")) > next, "no number is given twice")
    for other in others { other.finish() }
  }

  @Test func bytesAreMadeOnceForEachUser() async throws {
    let shared = try await read(key("a"))
    var made = 0
    func bytes(_ user: String?) -> [UInt8] {
      shared.encoded(for: user) { _ in
        made += 1
        return Array("\(made)".utf8)
      }
    }
    #expect(bytes(nil) == bytes(nil) && bytes("ann") == bytes("ann") && bytes("ann") != bytes(nil))
    #expect(made == 2)
  }

  /// A stream that its reader left is not told of anything any more.
  @Test func whoLeavesIsForgotten() async throws {
    struct Left: Error {}
    let authority = try await Authority.open(AtomsyncConfiguration(storage: .memory))
    let other = authority.notifier.subscribe(to: ["g"])
    await #expect(throws: Left.self) {
      try await authority.live(LiveRequest(groups: [PullRequest(group: "g")])) { _ in throw Left() }
    }
    #expect(authority.notifier.sharedGeneration(of: "g") == nil, "one reader is left")
    other.finish()
    await authority.close()
  }
}
