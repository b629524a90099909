import Atomsync
import AtomsyncCore
import AtomsyncEncryption
import BenchmarkSupport
import Transit

/// What encryption costs, beside the same without it.
struct SealedBenchmarks {
  let documents: Int
  let table: Table

  private struct Variant {
    var title: String
    var encryption: EncryptionProvider?
  }

  private static let variants = {
    let key = EncryptionKey()
    return [
      Variant(title: "plain"),
      Variant(title: "sealed", encryption: .key(key)),
      Variant(title: "sealed, ids hidden", encryption: .key(key, ids: .hidden)),
      Variant(title: "sealed, store sealed", encryption: .key(key, local: true)),
    ]
  }()

  func run() async throws {
    for kind in [StoreKind.memory, .sqlite] {
      var plain = 0.0
      for variant in Self.variants {
        let samples = try await firstSync(variant, kind)
        table.row("first sync of \(documents), \(variant.title), \(kind.title)", samples, "s")
        if variant.encryption == nil { plain = samples.median }
        var share = Samples()
        share.append(samples.median / plain)
        table.row("  times plain", share, "×", variant.encryption == nil ? .none : .atMost(1.5))
      }
    }
    for variant in Self.variants { try await swap(variant) }
    for variant in Self.variants.prefix(2) { try await size(variant) }
  }

  /// A server in memory that a device has filled.
  private func server(_ variant: Variant, _ documents: Int) async throws -> Authority {
    let authority = try await Authority.open(.benchmark(.memory))
    let client = try await AtomsyncClient.open(.benchmark(.memory))
    let atom = try await client.atom(
      group, transport: .loopback(authority), encryption: variant.encryption)
    try atom.swap {
      for number in 0..<documents { $0[SampleDocuments.id(number)] = SampleDocuments.value(number) }
    }
    try await atom.sync(timeout: .seconds(300))
    try await client.close()
    return authority
  }

  /// Everything from the server, by a device that has nothing, through the configuration's codec, until it is durable.
  private func firstSync(_ variant: Variant, _ kind: StoreKind) async throws -> Samples {
    let authority = try await server(variant, documents)
    var samples = Samples()
    for _ in 0..<5 {
      try await withTemporaryFolder { folder in
        let client = try await AtomsyncClient.open(.benchmark(kind.provider(in: folder)))
        let start = ContinuousClock.now
        let atom = try await client.atom(
          group, transport: .loopback(authority), encryption: variant.encryption)
        try await atom.sync(timeout: .seconds(300))
        samples.append((ContinuousClock.now - start).seconds)
        precondition(atom.value.count == documents && atom.status.unopenedCount == 0)
        try await client.close()
      }
    }
    await authority.close()
    return samples
  }

  private func swap(_ variant: Variant) async throws {
    let client = try await AtomsyncClient.open(.benchmark(.memory))
    let atom = try await client.atom(group, encryption: variant.encryption)
    var samples = Samples()
    for round in 0..<20_000 {
      let (id, value) = (SampleDocuments.id(round % 1000), SampleDocuments.value(round))
      let start = ContinuousClock.now
      let receipt = try atom.swap { $0[id] = value }
      samples.append((ContinuousClock.now - start).seconds * 1e6)
      if round % 500 == 499 { try await receipt.saved() }
    }
    table.row("swap, row queued, \(variant.title)", samples, "µs")
    try await client.close()
  }

  /// A page of 1,000 documents.
  private func size(_ variant: Variant) async throws {
    let authority = try await server(variant, 1000)
    let page = try await authority.pull(PullRequest(group: group, limit: 1000))
    for codec in [TransitCodec.transitMsgPack, .transitJSON] {
      var bytes = Samples()
      bytes.append(Double(try codec.encode(page).count) / Double(page.documents.count))
      table.row("a document on the wire, \(variant.title), \(codec.mediaType)", bytes, "bytes")
    }
    await authority.close()
  }
}
