import Atomsync
import AtomsyncHTTPServer
import AtomsyncHummingbird
import AtomsyncLMDB
import AtomsyncSQLite
import AtomsyncSettings
import AtomsyncTesting
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import ServiceLifecycle
import Testing
import Transit
import UnixSignals

// What the pages on the server show: `DocumentationTests` compares them with this file.

private func embedded() async throws {
  let authority = try await Authority.open(AtomsyncConfiguration(storage: .sqlite("documents.db")))
  var configuration = HTTPServerConfiguration()
  configuration.port = 8090
  configuration.users = try Users([User("alice", token: "abc123", groups: ["todo", "team:*"])])
  let server = try SyncServer(authority, configuration: configuration)
  try await server.run()
  await authority.close()
}

private func inside(_ authority: Authority) async throws {
  let client = try await AtomsyncClient.open(AtomsyncConfiguration(storage: .memory))
  let todos = try await client.atom("todo", transport: .loopback(authority))
  _ = todos
}

private func settings() async throws {
  let settings = try SettingsReader(
    environment: ProcessInfo.processInfo.environment, file: "settings.json")
  let configuration = try AtomsyncConfiguration(
    settings, storages: ["sqlite": { .sqlite($0) }, "lmdb": { .lmdb($0) }])
  try settings.requireAllKnown()  // a misspelt name in the file is an error
  _ = configuration
}

private func checking(_ configuration: AtomsyncConfiguration) async throws {
  let authority = try await Authority.open(configuration) { write in
    guard write.group == "todo", case .map(let todo)? = try write.value else { return .accept }
    return todo[.keyword("title")] == nil ? .refuse("A todo needs a title.") : .accept
  }
  _ = authority
}

private func asAService() async throws {
  let logger = Logger(label: "my-service")
  let authority = try await Authority.open(
    AtomsyncConfiguration(storage: .sqlite("atomsync.db"), logger: logger))

  var configuration = HTTPServerConfiguration()
  configuration.port = 8090
  configuration.users = try Users([User("alice", token: "abc123", groups: ["todo", "team:*"])])
  configuration.logger = logger

  let server = try SyncServer(authority, configuration: configuration)
  let services = ServiceGroup(
    services: [server], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
  try await services.run()
  await authority.close()
}

private func inARouter(
  _ router: Router<BasicRequestContext>, _ authority: Authority, _ configuration: HTTPServerConfiguration
) throws {
  let endpoint = try SyncEndpoint(authority, configuration: configuration)
  endpoint.addRoutes(to: router, path: "sync")
}

private struct Session { let name: String, end: Date }
private actor SessionStore { func session(_ cookie: String?) -> Session? { nil } }

private func ownUsers(_ store: SessionStore, _ configuration: inout HTTPServerConfiguration) {
  struct Sessions: Authenticator {
    let store: SessionStore

    func user(of request: HTTPRequest) async throws -> User? {
      guard let session = await store.session(request.headerFields[.cookie]) else { return nil }
      return User(session.name, groups: ["user:\(session.name)"], expires: session.end)
    }
  }
  configuration.authenticator = Sessions(store: store)
}
