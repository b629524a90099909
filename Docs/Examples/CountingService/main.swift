import Atomsync
import AtomsyncHTTPServer
import AtomsyncSQLite
import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

// A service with both sides of Atomsync in it: it serves documents, and works on them itself.
//
//   swift run CountingService documents.db 8090

let arguments = CommandLine.arguments.dropFirst()
let path = arguments.first ?? "documents.db"
guard let port = arguments.count < 2 ? 8090 : Int(arguments.last ?? "") else {
  print("CountingService [STORE [PORT]]")
  exit(2)
}

do {
  let logger = Logger(label: "counting-service")
  let authority = try await Authority.open(AtomsyncConfiguration(storage: .sqlite(path), logger: logger))

  var configuration = HTTPServerConfiguration()
  configuration.port = port
  configuration.logger = logger
  let server = try SyncServer(authority, configuration: configuration)

  let services = ServiceGroup(
    services: [server, CountingService(authority: authority, group: "todo")],
    gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
  async let address: Void = print("http://127.0.0.1:\(server.boundPort())/sync")
  try await services.run()
  try await address
  await authority.close()
} catch {
  print(error)
  exit(1)
}
