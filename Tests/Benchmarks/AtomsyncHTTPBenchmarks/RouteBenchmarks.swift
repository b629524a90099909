import AtomsyncCore
import AtomsyncHTTPClient
import BenchmarkSupport
import Foundation

/// The server's requests, beside those of servers that do nothing, in turns in one run.
struct RouteBenchmarks {
  let documents: Int
  let runs: Int
  let table: Table

  func requests() async throws {
    for connections in [1, 16, 64] {
      try await compare("empty pull", "?group=\(group)", connections, nil, [.memory: 0.9])
    }
    for connections in [1, 16, 64] {
      try await compare(
        "push of 1 document", "", connections, Wrk.pushes(of: 1),
        connections == 64 ? [.memory: 0.9, .sqlite: 0.7, .lmdb: 0.7] : [:], [.memory, .sqlite, .lmdb])
    }
    try await largePushes([.memory, .sqlite, .lmdb])
    try await everything([.memory, .sqlite, .lmdb])
  }

  /// The same requests on each storage that survives, PostgreSQL among them.
  func storages() async throws {
    let kinds: [StoreKind] = StoreKind.durable + (StoreKind.hasPostgres ? [.postgres] : [])
    for connections in [1, 64] {
      try await compare("empty pull", "?group=\(group)", connections, nil, [:], kinds)
    }
    try await compare("push of 1 document", "", 64, Wrk.pushes(of: 1), [:], kinds)
    try await largePushes(kinds)
    try await everything(kinds)
  }

  /// Rounds of each in turns, so that what else the machine does meets all of them.
  private func compare(
    _ name: String, _ query: String, _ connections: Int, _ script: String?, _ targets: [StoreKind: Double],
    _ kinds: [StoreKind] = [.memory]
  ) async throws {
    var bare: [BareServer: Samples] = [:]
    var ours: [StoreKind: Samples] = [:]
    for _ in 0..<runs {
      for kind in BareServer.allCases {
        let child = try Child(["serve-bare-for-benchmark", kind.rawValue])
        let rate = try Wrk.rate(
          "http://127.0.0.1:\(try child.line())/sync\(query)", connections: connections, script: script)
        bare[kind, default: Samples()].append(rate)
        try child.end()
      }
      for kind in kinds {
        try await withTemporaryFolder { folder in
          let server = try ServerProcess(kind, in: folder, documents: 0)
          let rate = try Wrk.rate(server.url + query, connections: connections, script: script)
          ours[kind, default: Samples()].append(rate)
          try server.end()
        }
      }
    }
    for kind in BareServer.allCases {
      table.row("\(name), \(connections) connections, \(kind.title)", bare[kind] ?? Samples(), "/s")
    }
    for kind in kinds {
      table.row("\(name), \(connections) connections, \(kind.title)", ours[kind] ?? Samples(), "/s")
      guard let rate = ours[kind]?.median, let most = bare[.hummingbird]?.median, most > 0 else { continue }
      var share = Samples()
      share.append(rate / most)
      table.row("  of bare Hummingbird", share, "×", targets[kind].map(Target.atLeast) ?? .none)
    }
  }

  private func largePushes(_ kinds: [StoreKind]) async throws {
    let targets: [StoreKind: Double] = [.sqlite: 120_000, .lmdb: 150_000, .postgres: 30_000]
    for kind in kinds {
      var samples = Samples()
      for _ in 0..<runs {
        try await withTemporaryFolder { folder in
          let server = try ServerProcess(kind, in: folder, documents: 0)
          samples.append(100 * (try Wrk.rate(server.url, connections: 16, script: Wrk.pushes(of: 100))))
          try server.end()
        }
      }
      table.row(
        "pushes of 100, 16 connections, \(kind.title)", samples, "docs/s",
        targets[kind].map(Target.atLeast) ?? .none)
    }
  }

  /// Every page of a group, again and again.
  private func everything(_ kinds: [StoreKind]) async throws {
    for kind in kinds {
      var samples = Samples()
      try await withTemporaryFolder { folder in
        let server = try ServerProcess(kind, in: folder, documents: documents)
        let transport = try await TransportProvider.http(server.url).open(codec: TransitCodec.transitMsgPack)
        var paths: [String] = []
        var cursor: Cursor?
        var hasMore = true
        while hasMore {
          let start = cursor.map { PullRequest.Start.cursor($0) } ?? .beginning
          let page = try await transport.pull(PullRequest(group: group, start: start)) {}
          paths.append("/sync?group=\(group)" + (cursor.map { "&cursor=\($0.text)" } ?? ""))
          cursor = page.cursor
          hasMore = page.hasMore
        }
        await transport.close()
        for _ in 0..<runs {
          let rate = try Wrk.rate(server.url, connections: 2, script: Wrk.reading(paths), seconds: 4)
          samples.append(rate * Double(documents) / Double(paths.count))
        }
        try server.end()
      }
      table.row(
        "everything read, MessagePack, \(kind.title)", samples, "docs/s",
        .atLeast(kind == .postgres ? 200_000 : 600_000))
    }
  }

  /// Many live streams on one group, and one writer, beside a server that does nothing but write.
  func streams() async throws {
    let cases: [(streams: Int, commits: Int, opening: Target, p99: Target)] = [
      (1000, 50, .none, .atMost(10)), (5000, 50, .atMost(2), .atMost(50)), (10_000, 0, .none, .none),
    ]
    for (streams, commits, opening, p99) in cases {
      var (bare, ours) = (StreamSamples(), StreamSamples())
      for _ in 0..<3 {
        let child = try Child(["serve-bare-for-benchmark", BareServer.nio.rawValue])
        bare.append(
          try LiveReaders.run(
            port: try child.line(), streams: streams, commits: commits, server: child.processID))
        try child.end()
        try await withTemporaryFolder { folder in
          let server = try ServerProcess(.memory, in: folder, documents: 0)
          ours.append(
            try LiveReaders.run(
              port: server.port, streams: streams, commits: commits, server: server.processID))
          try server.end()
        }
      }
      write(bare, "\(streams) streams, bare NIO", commits, .none, .none, .none)
      write(ours, "\(streams) streams", commits, opening, .atMost(25), p99)
    }
  }

  private struct StreamSamples {
    var (opening, memory) = (Samples(), Samples())
    var latencies = [Samples(), Samples(), Samples()]

    mutating func append(_ result: LiveReaders.Result) {
      opening.append(result.opening)
      memory.append(result.memory)
      for index in latencies.indices where index < result.latencies.count {
        latencies[index].append(result.latencies[index])
      }
    }
  }

  private func write(
    _ samples: StreamSamples, _ title: String, _ commits: Int, _ opening: Target, _ memory: Target,
    _ p99: Target
  ) {
    table.row("\(title), opened one after the other", samples.opening, "s", opening)
    table.row("  memory of the server for each", samples.memory, "kB", memory)
    if commits == 0 { return }
    table.row("  ten writes a second, median", samples.latencies[0], "ms")
    table.row("  p99", samples.latencies[1], "ms", p99)
    table.row("  the last reader", samples.latencies[2], "ms")
  }
}
