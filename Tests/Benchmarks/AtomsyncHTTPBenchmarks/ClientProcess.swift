import Atomsync
import AtomsyncCore
import AtomsyncHTTPClient
import BenchmarkSupport
import Foundation

/// A client's first sync, in a process of its own: `sync-for-benchmark STORE FOLDER URL DOCUMENTS`.
enum ClientProcess {
  struct Result {
    var seconds: Double
    /// The most memory that the process had, and what it has once everything is there, in MB.
    var peak: Double
    var resident: Double
  }

  static func run(_ kind: StoreKind, in folder: String, url: String, documents: Int) throws -> Result {
    let child = try Child(["sync-for-benchmark", kind.rawValue, folder, url, "\(documents)"])
    let numbers = try child.line().split(separator: " ").compactMap { Double($0) }
    try child.end()
    guard numbers.count == 3 else { throw ChildError() }
    return Result(seconds: numbers[0], peak: numbers[1], resident: numbers[2])
  }

  /// From opening an empty store until every document is here and durable.
  static func sync(_ arguments: [String]) async throws {
    guard arguments.count == 4, let kind = StoreKind(rawValue: arguments[0]),
      let documents = Int(arguments[3])
    else { throw ChildError() }
    let start = ContinuousClock.now
    let client = try await AtomsyncClient.open(.benchmark(kind.provider(in: arguments[1])))
    let atom = try await client.atom(group, transport: .http(arguments[2]))
    try await atom.sync(timeout: .seconds(600))
    for await status in atom.statuses where status.unsavedCount == 0 { break }
    let seconds = (ContinuousClock.now - start).seconds
    guard atom.value.count == documents else { throw ChildError() }
    print(
      seconds, Double(ProcessMemory.kilobytes(.peak)) / 1024,
      Double(ProcessMemory.kilobytes(.resident)) / 1024)
    fflush(nil)
    try await client.close()
  }
}
