import Atomsync
import AtomsyncCore
import AtomsyncHTTPClient
import Foundation
import HTTPTypes
import Testing

@testable import AtomsyncHTTPServer

@Suite(.timeLimit(.minutes(1))) struct AuthenticatorTests {
  /// Knows one session at a time.
  private final class Sessions: Authenticator {
    private let state: Lock<User?>
    let questions = Lock(0)

    init(_ user: User?) { state = Lock(user) }

    func set(_ user: User?) { state.withLock { $0 = user } }

    func user(of request: HTTPRequest) async throws -> User? {
      questions.withLock { $0 += 1 }
      guard request.headerFields[.authorization] == "Bearer session" else { return nil }
      return state.withLock { $0 }
    }
  }

  private static let ann = User("ann", groups: ["todo"])

  private static func run(
    _ sessions: Sessions, users: Users? = nil, _ body: @escaping @Sendable (TestServer) async throws -> Void
  ) async throws {
    var configuration = HTTPServerConfiguration()
    configuration.authenticator = sessions
    configuration.users = users
    try await TestServer.run(configuration: configuration, body)
  }

  @Test func letsInWhomItKnows() async throws {
    try await Self.run(Sessions(Self.ann)) { server in
      try await server.withClient(token: "session") { client in
        let push = try PushRequest(group: "todo", edits: [.text("a", "x")])
        #expect(try await client.push(push).accepted.map(\.id) == ["a"])
        #expect(try await client.pull(PullRequest(group: "todo")).user == "ann")
        let error = await #expect(throws: TransportError.self) {
          try await client.pull(PullRequest(group: "other"))
        }
        #expect(error?.code == .forbidden)
      }
      for token in [nil, "another"] {
        try await server.withClient(token: token) { client in
          let error = await #expect(throws: TransportError.self) {
            try await client.pull(PullRequest(group: "todo"))
          }
          #expect(error?.code == .unauthorized)
        }
      }
    }
  }

  /// Users with tokens are known beside those of the authenticator, which is not asked for them.
  @Test func usersComeFirst() async throws {
    let sessions = Sessions(Self.ann)
    let users = try Users.aliceAndBob()
    try await Self.run(sessions, users: users) { server in
      try await server.withClient(token: "abc123") { client in
        let page = try await client.pull(PullRequest(group: "todo"))
        #expect(page.user == "alice")
      }
      #expect(sessions.questions.withLock { $0 } == 0)
      try await server.withClient(token: "session") { client in
        let page = try await client.pull(PullRequest(group: "todo"))
        #expect(page.user == "ann")
      }
    }
  }

  @Test func aStreamIsAskedAboutAgain() async throws {
    let sessions = Sessions(Self.ann)
    try await Self.run(sessions) { server in
      try await server.withClient(token: "session") { client in
        try await following(client, ["todo"]) { events in
          #expect(await events.next() == .opened)
          #expect(await events.nextPage() != nil)
          // Not for every page.
          let questions = sessions.questions.withLock { $0 }
          try await server.put("a")
          #expect(await events.nextPage()?.documents.map(\.id) == ["a"])
          #expect(sessions.questions.withLock { $0 } == questions)
          sessions.set(User("ann", groups: ["other"]))
          server.server.endpoint.recheckUsers()
          #expect(await events.next() == .revoked(group: "todo"))
        }
      }
    }
  }

  @Test func aStreamEndsWithItsToken() async throws {
    let sessions = Sessions(User("ann", groups: ["todo"], expires: Date(timeIntervalSinceNow: 0.5)))
    try await Self.run(sessions) { server in
      try await server.withClient(token: "session") { client in
        // The stream breaks off, and a new one is not let in.
        await #expect(throws: TransportError.self) {
          try await client.live(LiveRequest(groups: [PullRequest(group: "todo")])) { _ in }
        }
        let error = await #expect(throws: TransportError.self) {
          try await client.pull(PullRequest(group: "todo"))
        }
        #expect(error?.code == .unauthorized)
      }
    }
  }

  /// A date that no sleep is long enough for, as a token may have one.
  @Test func aTokenMayHoldForEver() async throws {
    let sessions = Sessions(
      User("ann", groups: ["todo"], expires: Date(timeIntervalSince1970: .greatestFiniteMagnitude)))
    try await Self.run(sessions) { server in
      try await server.withClient(token: "session") { client in
        try await following(client, ["todo"]) { events in
          #expect(await events.next() == .opened)
          #expect(await events.nextPage() != nil)
        }
      }
    }
  }
}
