import Atomsync
import AtomsyncCore
import AtomsyncHTTPClient
import BenchmarkSupport
import Foundation
import Transit

/// What is measured between a server and clients.
struct HTTPBenchmarks {
  let documents: Int
  let runs: Int
  let table: Table

  /// From an empty store until every document is here and durable.
  func firstSync() async throws {
    for server in [StoreKind.memory, .sqlite] {
      try await withTemporaryFolder { serverFolder in
        let process = try ServerProcess(server, in: serverFolder, documents: documents)
        for client in [StoreKind.memory] + StoreKind.durable {
          var samples = Samples()
          for _ in 0..<runs {
            let result = try await withTemporaryFolder {
              try ClientProcess.run(client, in: $0, url: process.url, documents: documents)
            }
            samples.append(result.seconds)
          }
          table.row(
            "first sync of \(documents), \(server.title) → \(client.title)", samples, "s",
            client == .memory ? .none : .atMost(3))
        }
        try process.end()
      }
    }
  }

  /// The client's memory at its peak, by the number of pages and the number of documents.
  func memory() async throws {
    let cases = [(documents, 250), (documents, 1000), (documents, 4000), (documents * 2, 1000)]
    for (documents, pageDocuments) in cases {
      try await withTemporaryFolder { serverFolder in
        let process = try ServerProcess(
          .memory, in: serverFolder, documents: documents, pageDocuments: pageDocuments)
        var peak = Samples()
        var above = Samples()
        for _ in 0..<3 {
          let result = try await withTemporaryFolder {
            try ClientProcess.run(.sqlite, in: $0, url: process.url, documents: documents)
          }
          peak.append(result.peak)
          above.append(result.peak - result.resident)
        }
        let name = "\(documents) documents in \((documents + pageDocuments - 1) / pageDocuments) pages"
        table.row("peak memory, \(name)", peak, "MB")
        table.row("of it above what is kept, \(name)", above, "MB")
        try process.end()
      }
    }
  }

  /// From a swap on A until a watcher of B sees it.
  func live() async throws {
    let cases: [(server: StoreKind, client: StoreKind, target: Double)] = [
      (.memory, .memory, 5), (.sqliteProcess, .sqliteProcess, 5), (.lmdbProcess, .lmdbProcess, 5),
      (.sqlite, .sqlite, 10), (.lmdb, .lmdb, 10),
    ]
    for (server, client, target) in cases {
      try await withTemporaryFolder { serverFolder in
        let process = try ServerProcess(server, in: serverFolder, documents: documents)
        let samples = try await withTemporaryFolder { first in
          try await withTemporaryFolder { second in
            try await latencies(client.provider(in: first), client.provider(in: second), process.url)
          }
        }
        table.row("write on A → visible on B, \(server.title) on all sides", samples, "ms", .atMost(target))
        try process.end()
      }
    }
  }

  private func latencies(_ first: StorageProvider, _ second: StorageProvider, _ url: String) async throws
    -> Samples
  {
    let (writing, watching) = (
      try await AtomsyncClient.open(.benchmark(first)), try await AtomsyncClient.open(.benchmark(second))
    )
    let a = try await writing.atom(group, transport: .http(url))
    let b = try await watching.atom(group, transport: .http(url))
    for atom in [a, b] {
      try await atom.sync(timeout: .seconds(600))
      for await status in atom.statuses where status.connection == .live { break }
    }
    var samples = Samples()
    var changes = b.changes.makeAsyncIterator()
    for round in 0..<330 {
      let id = SampleDocuments.id(round * 7919 % documents)
      let start = ContinuousClock.now
      let receipt = try a.swap { $0[id] = SampleDocuments.value(documents + round) }
      while let change = await changes.next(), !change.ids.contains(id) {}
      // The first ones find connections and caches cold.
      if round >= 30 { samples.append((ContinuousClock.now - start).seconds * 1000) }
      _ = try await receipt.confirmed(timeout: .seconds(10))
      // What is measured is the latency of single writes, as people make them, and not of a burst: the pause is part of
      // the load, and nothing waits for it to have passed.
      try await Task.sleep(for: .milliseconds(5))
    }
    try await writing.close()
    try await watching.close()
    return samples
  }
}
