public import AtomsyncCore
internal import AtomsyncEngine

/// What a server's store holds, counted.
public struct StoreStatistics: Sendable, Hashable {
  /// What one group holds, counted.
  public struct Group: Sendable, Hashable {
    /// The group's name.
    public var name: String
    /// Documents that are there.
    public var documents: Int64 = 0
    /// Deletions that are remembered, so that replicas hear of them.
    public var tombstones: Int64 = 0
    /// The bytes of the documents' rows.
    public var bytes: Int64 = 0
  }

  /// The groups, those with the most bytes first.
  public var groups: [Group] = []
  /// Records of the clients' last pushes.
  public var clients: Int64 = 0
  /// Epochs that servers have begun, and that are remembered.
  public var epochs: Int64 = 0
  /// All rows, with the bytes of their keys and values.
  public var total = OperationProgress()

  /// Documents that are there, in all groups. O(groups)
  public var documents: Int64 { groups.reduce(0) { $0 + $1.documents } }
  /// Deletions that are remembered, in all groups. O(groups)
  public var tombstones: Int64 { groups.reduce(0) { $0 + $1.tombstones } }

  /// Counts what a store holds at one moment. It may be in use. O(rows)
  ///
  /// - Throws: `StorageError`: it cannot be read, or is not a server's.
  public static func of(
    _ storage: any SnapshotStorage, report: @escaping ReportProgress = { _ in }
  ) async throws -> StoreStatistics {
    try await StoreHeader.check(storage, kind: .authority)
    return try await storage.withSnapshot { read in
      var counter = Counter()
      try EveryRow.forEachPage(read) { entries in
        for entry in entries { try counter.add(entry) }
        report(counter.statistics.total)
      }
      return counter.result
    }
  }

  private struct Counter {
    var statistics = StoreStatistics()
    private var groups: [String: Group] = [:]

    mutating func add(_ entry: StorageEntry) throws {
      statistics.total.add(key: entry.key, value: entry.value)
      switch entry.key.first.flatMap(Space.init) {
      case .change:
        let name = TupleKey.text(in: entry.key, after: 1) ?? "?"
        let document = try Document(change: entry.value)
        var group = groups[name] ?? Group(name: name)
        if document.content == .deleted { group.tombstones += 1 } else { group.documents += 1 }
        group.bytes += Int64(entry.key.count + entry.value.count)
        groups[name] = group
      case .push: statistics.clients += 1
      case .epoch: statistics.epochs += 1
      default: break
      }
    }

    var result: StoreStatistics {
      var result = statistics
      result.groups = groups.values.sorted { ($1.bytes, $0.name) < ($0.bytes, $1.name) }
      return result
    }
  }
}
