import Atomsync
import AtomsyncCore
import Logging
import Transit

/// The group and atom that everything is measured on.
package let group = "todo"

extension AtomsyncConfiguration {
  package static func benchmark(_ storage: StorageProvider, limits: Limits = Limits())
    -> AtomsyncConfiguration
  {
    var logger = Logger(label: "benchmark")
    logger.logLevel = .critical  // a server that is ended between two measurements complains
    return AtomsyncConfiguration(storage: storage, limits: limits, logger: logger)
  }
}

extension Authority {
  /// Writes the sample documents with these numbers.
  package func fill(_ numbers: Range<Int>) async throws {
    for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: 1000) {
      let edits = try (start..<min(start + 1000, numbers.upperBound)).map {
        Edit(
          id: SampleDocuments.id($0), version: 0,
          content: .value(Payload(bytes: try SampleDocuments.value($0).transit(.msgpack))))
      }
      _ = try await push(PushRequest(group: group, edits: edits))
    }
  }
}

extension StorageProvider {
  /// Makes this a client's store that has synced `count` documents from an authority in this process.
  package func fillClient(_ count: Int) async throws {
    let authority = try await Authority.open(.benchmark(.memory))
    try await authority.fill(0..<count)
    let client = try await AtomsyncClient.open(.benchmark(self))
    let atom = try await client.atom(group, transport: .loopback(authority))
    try await atom.sync(timeout: .seconds(600))
    try await client.close()
    await authority.close()
  }
}
