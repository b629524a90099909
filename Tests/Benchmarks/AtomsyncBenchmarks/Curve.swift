import Atomsync
import AtomsyncCore
import BenchmarkSupport
import Foundation
import Transit

/// The cost of a swap from 1,000 to 1,000,000 documents, in memory.
struct Curve {
  private static let sizes = [1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000]
  private let options: Options
  private let table: Table

  init(_ options: Options, _ table: Table) {
    self.options = options
    self.table = table
  }

  func run() async throws {
    var points: [CurvePlot.Point] = []
    for size in Self.sizes {
      let storage = StorageProvider.kept(MemoryStorage())
      try await storage.fillClient(size)
      let client = try await AtomsyncClient.open(.benchmark(storage))
      let atom = try await client.atom(group)
      let values = (0..<1000).map { SampleDocuments.value(size + $0) }
      var samples = Samples()
      for round in 0..<10_000 {
        let id = SampleDocuments.id(round * 7919 % size)
        let value = values[round % values.count]
        let start = ContinuousClock.now
        let receipt = try atom.swap { $0[id] = value }
        samples.append((ContinuousClock.now - start).seconds * 1e6)
        if round % 100 == 99 { try await receipt.saved() }
      }
      try await client.close()
      table.row("swap of one document among \(size), memory", samples, "µs")
      points.append(.init(documents: size, median: samples.median, p90: samples.quantile(0.9)))
    }
    guard let path = options.svg else { return }
    try CurvePlot(points: points).svg.write(toFile: path, atomically: true, encoding: .utf8)
  }
}
