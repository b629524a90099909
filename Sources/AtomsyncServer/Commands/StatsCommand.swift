internal import ArgumentParser
internal import AtomsyncOperations
internal import AtomsyncSettings

struct StatsCommand: OneStoreCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats", abstract: "Counts what a store holds. It may be in use.")

  @OptionGroup var store: StoreOptions

  @Option(help: "How many groups to list, those with the most bytes first.")
  var groups = 10

  func perform(_ settings: SettingsReader, print: @escaping @Sendable (String) throws -> Void) async throws
    -> Int32
  {
    let location = try StoreLocation(store, settings)
    try await location.requireExistence()
    let meter = ProgressMeter("counted")
    let statistics = try await location.withStorage { try await StoreStatistics.of($0, report: meter.show) }
    meter.end()
    try print(
      "\(location.provider): \(statistics.documents) documents and \(statistics.tombstones) tombstones in "
        + "\(statistics.groups.count) groups, \(statistics.clients) clients, \(statistics.epochs) epochs.")
    try print(
      "\(statistics.total.rows) rows of \(ByteCount(statistics.total.bytes))"
        + (location.fileBytes.map { "; files of \(ByteCount($0))." } ?? "."))
    for group in statistics.groups.prefix(max(0, groups)) {
      try print(
        "\(group.name): \(group.documents) documents, \(group.tombstones) tombstones, \(ByteCount(group.bytes))"
      )
    }
    return 0
  }
}
