internal import ArgumentParser
internal import AtomsyncOperations
internal import AtomsyncSettings

struct RestoreCommand: OneStoreCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Makes a store of a dump. The path must be a new one.",
    discussion:
      "A dump that is damaged is refused before anything is written. Replicas that had seen more than the dump holds read everything anew, and keep what they have not pushed."
  )

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("The dump to read.", valueName: "file"))
  var from: String

  func perform(_ settings: SettingsReader, print: @escaping @Sendable (String) throws -> Void) async throws
    -> Int32
  {
    let location = try StoreLocation(store, settings)
    try location.requireAbsence()
    let meter = ProgressMeter("restored")
    let progress = try await StoreDump.restore(from, to: location.provider, report: meter.show)
    meter.end()
    try print("\(location.provider): \(progress.rows) rows, \(ByteCount(progress.bytes)).")
    return 0
  }
}
