import Atomsync
import AtomsyncHTTPServer
import AtomsyncSQLite
import Logging
import ServiceLifecycle
import UnixSignals

// A service with both sides of Atomsync in it: it serves documents, and works on them itself.
//
//   swift run CountingService documents.db 8090

let arguments = CommandLine.arguments.dropFirst()
let path = arguments.first ?? "documents.db"
let port = arguments.dropFirst().first.flatMap { Int($0) } ?? 8090

let logger = Logger(label: "counting-service")
let authority = try await Authority.open(AtomsyncConfiguration(storage: .sqlite(path), logger: logger))

var configuration = HTTPServerConfiguration()
configuration.port = port
configuration.logger = logger
let server = try SyncServer(authority, configuration: configuration)

let services = ServiceGroup(
  services: [server, CountingService(authority: authority, group: "todo")],
  gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
print("http://127.0.0.1:\(port)/sync")
try await services.run()
await authority.close()
