internal import ArgumentParser
internal import AtomsyncOperations
internal import AtomsyncSettings
internal import Foundation

struct DumpCommand: OneStoreCommand {
  static let configuration = CommandConfiguration(
    commandName: "dump",
    abstract: "Writes everything that a store holds to one file. The store may be in use.",
    discussion:
      "The dump is the store at one moment, whichever kind it is; restore makes a store of it, of any kind. It has a checksum."
  )

  @OptionGroup var store: StoreOptions

  @Option(
    help: ArgumentHelp(
      "The file to write, which must not exist. (default: standard output)", valueName: "file"))
  var to: String?

  func perform(_ settings: SettingsReader, print: @escaping @Sendable (String) throws -> Void) async throws
    -> Int32
  {
    let location = try StoreLocation(store, settings)
    try await location.requireExistence()
    let file = try OutputFile(to)
    let meter = ProgressMeter("dumped")
    let progress = try await location.withStorage { storage in
      try await StoreDump.write(storage, report: meter.show, to: file.write)
    }
    try file.finish()
    meter.end()
    if let to {
      try print("\(to): \(progress.rows) rows of \(location.provider), \(ByteCount(progress.bytes)).")
    }
    return 0
  }
}
