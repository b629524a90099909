import Atomsync
import AtomsyncCore
import AtomsyncTesting
import Logging
import Testing
import Transit

/// An authority, a network with faults and a disk with faults, and what is opened on them.
struct Scene {
  let authority: Authority
  let network = TransportScript()
  let disk = FaultyStorage(MemoryStorage())
  let configuration: AtomsyncConfiguration

  init(
    _ adjust: (inout AtomsyncConfiguration) -> Void = { _ in },
    server: (inout AtomsyncConfiguration) -> Void = { _ in }, willAccept: WriteValidator? = nil
  ) async throws {
    var served = Scene.configuration()
    server(&served)
    authority = try await Authority.open(served, willAccept: willAccept)
    var configuration = Scene.configuration()
    adjust(&configuration)
    self.configuration = configuration
  }

  /// A configuration that is quick to try again, and silent.
  static func configuration() -> AtomsyncConfiguration {
    var configuration = AtomsyncConfiguration(codec: .transitJSON)
    configuration.retry.initialDelay = .milliseconds(1)
    configuration.retry.maximumDelay = .milliseconds(8)
    configuration.retry.pollInterval = .milliseconds(5)
    configuration.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    return configuration
  }

  var way: TransportProvider { .scripted(network, over: .loopback(authority)) }

  /// Opens the store on the scene's disk: as a process does that was started again.
  func client() async throws -> AtomsyncClient {
    var configuration = configuration
    configuration.storage = StorageProvider("the scene's disk") { [disk] _ in disk.reopened() }
    return try await AtomsyncClient.open(configuration)
  }

  /// An atom on the scene's disk and network.
  func atom(
    _ conflicts: ConflictPolicy = .serverWins, of client: AtomsyncClient? = nil
  ) async throws -> SyncedAtom<TransitValue> {
    var opened = client
    if opened == nil { opened = try await self.client() }
    let atom = try await opened?.atom("todo", transport: way, conflicts: conflicts)
    return try #require(atom)
  }

  /// Another device, with a perfect network and a store of its own.
  func other(_ conflicts: ConflictPolicy = .serverWins) async throws -> SyncedAtom<TransitValue> {
    let client = try await AtomsyncClient.open(Scene.configuration())
    return try await client.atom("todo", transport: .loopback(authority), conflicts: conflicts)
  }

  /// What the authority holds, by id; `nil` values are left out.
  func server() async throws -> [String: TransitValue] {
    var values: [String: TransitValue] = [:]
    var request = PullRequest(group: "todo")
    while true {
      let page = try await authority.pull(request)
      for document in page.documents {
        values[document.id] = try document.content.payload.map {
          try TransitValue(transit: $0.bytes, format: .msgpack)
        }
      }
      request.start = .cursor(page.cursor)
      if !page.hasMore { return values }
    }
  }
}
