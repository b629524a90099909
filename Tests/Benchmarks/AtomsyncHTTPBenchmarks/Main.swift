import Atomsync
import AtomsyncCore
import AtomsyncHTTPClient
import BenchmarkSupport
import Foundation

/// Measures syncing over HTTP on this machine. Server and clients are processes of their own: the program starts
/// itself again for each. Requests are made by `wrk`, which has to be installed.
///
///     atomsync-http-benchmarks [first-sync] [memory] [live] [requests] [storages] [streams] [--documents N] [--runs N]
@main
struct Main {
  static func main() async throws {
    var arguments = Array(CommandLine.arguments.dropFirst())
    switch arguments.first {
    case "serve-for-benchmark": try await ServerProcess.serve(Array(arguments.dropFirst()))
    case "serve-bare-for-benchmark": try await BareServer.serve(Array(arguments.dropFirst()))
    case "follow-for-benchmark": try await LiveReaders.follow(Array(arguments.dropFirst()))
    case "sync-for-benchmark": try await ClientProcess.sync(Array(arguments.dropFirst()))
    default:
      let documents = take("--documents", from: &arguments) ?? 100_000
      let runs = take("--runs", from: &arguments) ?? 5
      let benchmarks = HTTPBenchmarks(documents: documents, runs: runs, table: Table())
      let wants = { arguments.isEmpty || arguments.contains($0) }
      benchmarks.table.header()
      if wants("first-sync") { try await benchmarks.firstSync() }
      if wants("memory") { try await benchmarks.memory() }
      if wants("live") { try await benchmarks.live() }
      let routes = RouteBenchmarks(documents: documents, runs: runs, table: benchmarks.table)
      if wants("requests") { try await routes.requests() }
      if wants("storages") { try await routes.storages() }
      if wants("streams") { try await routes.streams() }
    }
  }

  private static func take(_ name: String, from arguments: inout [String]) -> Int? {
    guard let index = arguments.firstIndex(of: name), index + 1 < arguments.count else { return nil }
    defer { arguments.removeSubrange(index...(index + 1)) }
    return Int(arguments[index + 1])
  }
}
