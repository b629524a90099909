import Atomsync
import AtomsyncCore
import AtomsyncHTTPServer
import BenchmarkSupport
import Foundation
import Logging

/// The server's side, in a process of its own: `serve-for-benchmark STORE FOLDER DOCUMENTS PAGE-DOCUMENTS`.
struct ServerProcess {
  private let child: Child
  let port: String
  var url: String { "http://127.0.0.1:\(port)/sync" }
  var processID: Int32 { child.processID }

  init(_ kind: StoreKind, in folder: String, documents: Int, pageDocuments: Int? = nil) throws {
    child = try Child(["serve-for-benchmark", kind.rawValue, folder, "\(documents)", "\(pageDocuments ?? 0)"])
    port = try child.line()
  }

  func end() throws { try child.end() }

  /// Fills a store, serves it, prints the port, and ends when its input does.
  static func serve(_ arguments: [String]) async throws {
    guard arguments.count == 4, let kind = StoreKind(rawValue: arguments[0]),
      let documents = Int(arguments[2]),
      let pageDocuments = Int(arguments[3])
    else { throw ChildError() }
    var limits = Limits()
    if pageDocuments > 0 {
      limits.pageDocuments = pageDocuments
      limits.maximumPageDocuments = pageDocuments
      limits.pageBytes = .max
    }
    let authority = try await Authority.open(.benchmark(kind.provider(in: arguments[1]), limits: limits))
    try await authority.fill(0..<documents)
    var configuration = HTTPServerConfiguration()
    configuration.port = 0
    configuration.limits = limits
    configuration.serverLimits.connections = .max
    configuration.serverLimits.streams = .max
    configuration.serverLimits.streamsPerUser = .max
    configuration.logger.logLevel = .error
    let server = try SyncServer(authority, configuration: configuration)
    let serving = Task { try await server.run() }
    print(try await server.boundPort())
    fflush(nil)
    let ended = Task.detached { while readLine() != nil {} }
    await ended.value
    serving.cancel()
    _ = await serving.result
    await authority.close()
  }
}
