import Atomsync
import AtomsyncCore
import AtomsyncHTTPClient
import AtomsyncInspector
import Logging
import ServiceLifecycle
import Transit

@testable import AtomsyncHTTPServer

/// A real server on a free port of this machine, with a store in memory.
struct TestServer: Sendable {
  let authority: Authority
  let server: SyncServer
  let port: Int
  /// What the server logs, message by message.
  let log: AsyncStream<String>
  private let services: ServiceGroup

  var url: String { "http://127.0.0.1:\(port)/sync" }

  /// Ends the server in good order: requests in hand are finished.
  func shutDown() async { await services.triggerGracefulShutdown() }

  /// Runs `body` beside a server, and ends both.
  static func run<Result: Sendable>(
    storage: StorageProvider = .memory, users: Users? = nil, limits: Limits = Limits(),
    heartbeat: Duration = .seconds(20), stallTimeout: Duration = .seconds(60),
    _ body: @escaping @Sendable (TestServer) async throws -> Result
  ) async throws -> Result {
    var configuration = HTTPServerConfiguration()
    configuration.users = users
    configuration.limits = limits
    configuration.heartbeat = heartbeat
    configuration.stallTimeout = stallTimeout
    return try await run(storage: storage, configuration: configuration, body)
  }

  /// Runs `body` beside a server of a configuration, at a free port.
  static func run<Result: Sendable>(
    storage: StorageProvider = .memory, configuration: HTTPServerConfiguration,
    _ body: @escaping @Sendable (TestServer) async throws -> Result
  ) async throws -> Result {
    let authority = try await Authority.open(
      AtomsyncConfiguration(storage: storage, limits: configuration.limits))
    let result = try await run(authority, configuration: configuration, body)
    await authority.close()
    return result
  }

  /// Runs `body` beside a server of an authority, at a free port.
  static func run<Result: Sendable>(
    _ authority: Authority, configuration: HTTPServerConfiguration = HTTPServerConfiguration(),
    _ body: @escaping @Sendable (TestServer) async throws -> Result
  ) async throws -> Result {
    var configuration = configuration
    configuration.port = 0
    let (log, messages) = AsyncStream.makeStream(of: String.self)
    configuration.logger = Logger(label: "test") { _ in CapturingLogHandler(messages: messages) }
    let endpoint = try SyncEndpoint(authority, configuration: configuration)
    let inspector = Inspector(endpoint, of: authority, metrics: { "figures 1\n" })
    let server = try SyncServer(endpoint) { await inspector.respond(to: $0) }
    let quiet = Logger(label: "quiet") { _ in SwiftLogNoOpLogHandler() }
    let services = ServiceGroup(configuration: .init(services: [server], logger: quiet))
    return try await withThrowingTaskGroup(of: Result?.self) { group in
      group.addTask {
        try await services.run()
        return nil
      }
      group.addTask {
        let port = try await server.boundPort()
        let test = TestServer(
          authority: authority, server: server, port: port, log: log, services: services)
        defer { Task { await services.triggerGracefulShutdown() } }
        return try await body(test)
      }
      var found: Result?
      while let result = try await group.next() { found = result ?? found }
      guard let found else { throw CancellationError() }
      return found
    }
  }

  /// A client, closed when `body` is done.
  func withClient<Result: Sendable>(
    token: String? = nil, codec: any Codec = .transitMsgPack,
    options: HTTPTransportOptions = HTTPTransportOptions(),
    _ body: (HTTPTransport) async throws -> Result
  ) async throws -> Result {
    let client = try HTTPTransport(url, token: token, codec: codec, options: options)
    do {
      let result = try await body(client)
      await client.close()
      return result
    } catch {
      await client.close()
      throw error
    }
  }

  /// Commits one document past the network.
  @discardableResult
  func put(_ id: String, _ text: String = "x", version: Int64 = 0, group: String = "todo") async throws
    -> Int64
  {
    let answer = try await authority.push(
      PushRequest(group: group, edits: [.text(id, text, version: version)]))
    return answer.accepted.first?.version ?? 0
  }
}

extension Edit {
  static func text(_ id: String, _ text: String, version: Int64 = 0) throws -> Edit {
    Edit(
      id: id, version: version,
      content: .value(Payload(bytes: try TransitValue.string(text).transit(.msgpack))))
  }
}

extension Users {
  /// alice may write `todo` and `team:*`, bob may read `todo`.
  static func aliceAndBob() throws -> Users {
    try Users([
      User("alice", token: "abc123", groups: ["todo", "team:*"]),
      User("bob", token: "def456", groups: ["todo"], access: .read),
    ])
  }
}

struct CapturingLogHandler: LogHandler {
  let messages: AsyncStream<String>.Continuation
  var metadata = Logger.Metadata()
  var logLevel = Logger.Level.trace

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    let pairs = all.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    messages.yield("\(event.message) \(pairs.joined(separator: " "))")
  }
}
