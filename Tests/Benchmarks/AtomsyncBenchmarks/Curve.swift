import Atomsync
import AtomsyncCore
import BenchmarkSupport
import Foundation
import Transit

/// The cost of a swap from 1,000 to 1,000,000 documents, in memory: the same 1,000 swaps at each size, of documents
/// from all over the atom.
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
      let first = try await swaps(of: atom, size, passes: 0..<1)
      let again = try await swaps(of: atom, size, passes: 1..<10)
      try await client.close()
      table.row("first swap of one document among \(size), memory", first, "µs")
      table.row("later swap of one document among \(size), memory", again, "µs")
      points.append(.init(documents: size, first: first.median, again: again.median))
    }
    guard let path = options.svg else { return }
    try CurvePlot(points: points).svg.write(toFile: path, atomically: true, encoding: .utf8)
  }

  private func swaps(
    of atom: SyncedAtom<TransitValue>, _ size: Int, passes: Range<Int>
  ) async throws -> Samples {
    let count = 1000
    var samples = Samples()
    for pass in passes {
      for number in 0..<count {
        let id = SampleDocuments.id(number * (size / count))
        let value = SampleDocuments.value(size + pass * count + number)
        let start = ContinuousClock.now
        let receipt = try atom.swap { $0[id] = value }
        samples.append((ContinuousClock.now - start).seconds * 1e6)
        if number % 100 == 99 { try await receipt.saved() }
      }
    }
    return samples
  }
}
