import Atomsync
import AtomsyncCore
import BenchmarkSupport
import Transit

/// What is measured on one client's store that holds the sample documents.
struct AtomBenchmarks {
  let kind: StoreKind
  let provider: StorageProvider
  let documents: Int
  let table: Table

  /// Opening the store and the atom in it.
  func open() async throws {
    var samples = Samples()
    for _ in 0..<7 {
      let clock = ContinuousClock.now
      let client = try await AtomsyncClient.open(.benchmark(provider))
      let atom = try await client.atom(group)
      samples.append((ContinuousClock.now - clock).seconds)
      precondition(atom.value.count >= documents)
      try await client.close()
    }
    table.row("open \(documents) documents, \(kind.title)", samples, "s", .atMost(1))
  }

  /// Taking a snapshot, the mean of 1,000 at a time.
  func value() async throws {
    try await withAtom(of: TransitValue.self) { atom in
      var samples = Samples()
      var sum = 0
      for _ in 0..<1000 {
        let start = ContinuousClock.now
        for _ in 0..<1000 { sum &+= atom.value.count }
        samples.append((ContinuousClock.now - start).seconds * 1e6)
      }
      precondition(sum > 0)
      table.row("value, \(documents) documents", samples, "ns", .atMost(100))
    }
  }

  /// Reading every document as a type of one's own: for the first time, which decodes it, and again.
  func typed() async throws {
    var (first, again, share) = (Samples(), Samples(), Samples())
    for _ in 0..<5 {
      try await withAtom(of: Todo.self) { atom in
        func seconds() -> Double {
          let start = ContinuousClock.now
          precondition(atom.value.reduce(0) { sum, _ in sum + 1 } == documents)
          return (ContinuousClock.now - start).seconds
        }
        let decoding = seconds()
        let reading = (0..<5).map { _ in seconds() }.min() ?? 0
        first.append(decoding * 1e3)
        again.append(reading * 1e3)
        share.append(decoding / reading)
      }
    }
    table.row("every document decoded, \(documents)", first, "ms")
    table.row("... and read again", again, "ms")
    table.row("  how many times faster", share, "×", .atLeast(20))
  }

  /// One swap of one document at a time: the call, after which its row is queued to become durable.
  func swap() async throws {
    try await withAtom(of: TransitValue.self) { atom in
      let samples = try await swaps(of: atom) { SampleDocuments.value(documents + $0) }
      table.row("swap of a Transit document, row queued, \(kind.title)", samples, "µs", .atMost(10))
    }
    try await withAtom(of: Todo.self) { atom in
      let samples = try await swaps(of: atom) { SampleDocuments.todo(documents + $0) }
      table.row("swap of a Codable document, row queued, \(kind.title)", samples, "µs")
    }
  }

  private func swaps<Element>(
    of atom: SyncedAtom<Element>, _ element: (Int) -> Element
  ) async throws -> Samples {
    var samples = Samples()
    for round in 0..<20_000 {
      let id = SampleDocuments.id(round * 7919 % documents)
      let element = element(round)
      let start = ContinuousClock.now
      let receipt = try atom.swap { $0[id] = element }
      samples.append((ContinuousClock.now - start).seconds * 1e6)
      if round % 500 == 499 { try await receipt.saved() }
    }
    return samples
  }

  /// Swaps by a caller that does not wait for each: from the first swap until the last is durable.
  func throughput() async throws {
    let count = 50_000
    let values = (0..<4096).map { SampleDocuments.value(documents + 5000 + $0) }
    var samples = Samples()
    for run in 0..<5 {
      try await withAtom(of: TransitValue.self) { atom in
        let start = ContinuousClock.now
        var last: Receipt?
        for round in 0..<count {
          let id = SampleDocuments.id((round * 7919 + run) % documents)
          let value = values[(round + run) % values.count]
          last = try atom.swap { $0[id] = value }
        }
        try await last?.saved()
        samples.append(Double(count) / (ContinuousClock.now - start).seconds)
      }
    }
    table.row(
      "durable swaps, caller does not wait, \(kind.title)", samples, "swaps/s",
      kind == .memory ? .none : .atLeast(20_000))
  }

  private func withAtom<Element: Codable & Sendable>(
    of type: Element.Type, _ body: (SyncedAtom<Element>) async throws -> Void
  ) async throws {
    let client = try await AtomsyncClient.open(.benchmark(provider))
    try await body(try await client.atom(group, of: type))
    try await client.close()
  }
}
