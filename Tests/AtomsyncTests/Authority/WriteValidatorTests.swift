import Atomsync
import AtomsyncCore
import AtomsyncTesting
import Foundation
import Testing
import Transit

@Suite(.timeLimit(.minutes(1))) struct WriteValidatorTests {
  private static let numbersOnly: WriteValidator = { write in
    switch try write.value {
    case .int, nil: .accept
    default: .refuse("“\(write.document)” must be a number.")
    }
  }

  private func put(_ id: String, _ value: TransitValue) throws -> Edit {
    Edit(id: id, version: 0, content: .value(Payload(bytes: try value.transit(.msgpack))))
  }

  /// A device's own edit moves to the rejections with the server's words, also over a restart, and holds up nothing.
  @Test func aRefusedWriteIsRejectedWithWords() async throws {
    let scene = try await Scene(willAccept: Self.numbersOnly)
    let client = try await scene.client()
    let atom = try await scene.atom(of: client)
    try atom.swap { $0["a"] = "text" }
    _ = try await atom.swap { $0["b"] = 2 }.confirmed()
    try await atom.status { $0.rejectedCount == 1 }
    let rejection = try #require(atom.rejections.first)
    #expect(rejection.reason == "invalid" && rejection.message == "“a” must be a number.")
    #expect(try await scene.server() == ["b": 2])
    try await client.close()
    #expect(try await scene.atom().rejections == [rejection])
  }

  /// A repeated push gets the verdicts that it got, whatever the application says by then.
  @Test func aRepeatedPushGetsTheSameWords() async throws {
    let isStrict = Lock(true)
    let authority = try await Authority.open(Scene.configuration()) { write in
      isStrict.withLock { $0 } ? .refuse(String(repeating: "é", count: 1000)) : .accept
    }
    let push = PushRequest(
      group: "g", ticket: PushTicket(client: UUID(), number: 1), edits: [try put("a", "text")])
    let first = try await authority.push(push)
    #expect(first.rejected.map(\.message) == [String(repeating: "é", count: 512)])
    isStrict.withLock { $0 = false }
    #expect(try await authority.push(push).rejected == first.rejected)
    #expect(try await authority.pull(PullRequest(group: "g")).documents.isEmpty)
  }

  @Test func anAtomicPushFallsAsAWhole() async throws {
    let authority = try await Authority.open(Scene.configuration(), willAccept: Self.numbersOnly)
    let edits = [try put("a", 1), try put("b", "text")]
    let answer = try await authority.push(PushRequest(group: "g", isAtomic: true, edits: edits))
    #expect(answer.accepted.isEmpty)
    #expect(answer.rejected.map(\.reason) == [.aborted, .invalid])
  }

  @Test func whatTheCheckThrowsChangesNothing() async throws {
    struct Away: Error {}
    let authority = try await Authority.open(Scene.configuration()) { write in
      #expect(write.group == "g" && write.user == "alice" && write.version == 0)
      throw Away()
    }
    var push = PushRequest(group: "g", edits: [try put("a", 1)])
    push.user = "alice"
    await #expect(throws: Away.self) { try await authority.push(push) }
    #expect(try await authority.pull(PullRequest(group: "g")).documents.isEmpty)
  }

  /// However many clients push while an application takes its time.
  @Test func pushesThatAreCheckedAreBounded() async throws {
    var configuration = Scene.configuration()
    configuration.limits.waitingPushes = 2
    let (asked, askedFor) = AsyncStream.makeStream(of: Void.self)
    let answer = Promise<Void>()
    let authority = try await Authority.open(configuration) { _ in
      askedFor.yield()
      try await answer.wait()
      return .accept
    }
    let push = PushRequest(group: "g", edits: [try put("a", 1)])
    let other = PushRequest(group: "g", edits: [try put("b", 1)])
    async let first = authority.push(push)
    async let second = authority.push(other)
    var questions = asked.makeAsyncIterator()
    for _ in 0..<2 { await questions.next() }
    let error = await #expect(throws: ProtocolError.self) { try await authority.push(push) }
    #expect(error?.code == .unavailable)
    answer.complete(.success(()))
    let answers = try await [first, second]
    #expect(answers.map { $0.accepted.map(\.id) } == [["a"], ["b"]])
    let third = try await authority.push(PushRequest(group: "g", edits: [try put("c", 1)]))
    #expect(third.accepted.map(\.id) == ["c"])
  }

  @Test func whatCanNeverBeAcceptedIsNotAskedAbout() async throws {
    let authority = try await Authority.open(Scene.configuration()) { write in
      #expect(write.document == "a")
      return .accept
    }
    let edits = [
      try put("a", 1), try put("a\u{7}", 1), try put("c", .string(String(repeating: "x", count: 2 << 20))),
    ]
    let answer = try await authority.push(PushRequest(group: "g", edits: edits))
    #expect(answer.accepted.map(\.id) == ["a"] && answer.rejected.map(\.reason) == [.invalid, .tooLarge])
  }
}
