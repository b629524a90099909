internal import ArgumentParser
internal import AtomsyncOperations
internal import AtomsyncSettings

struct CopyCommand: StoreCommand {
  static let configuration = CommandConfiguration(
    commandName: "copy",
    abstract: "Copies a store into a new one, of any kind. No server may have it open.",
    discussion:
      "A store is sqlite:PATH, lmdb:PATH or postgres://user@host/database. To replicas the copy is the same store."
  )

  @Option(help: ArgumentHelp("The store to read.", valueName: "kind:path"))
  var from: String

  @Option(help: ArgumentHelp("The store to make.", valueName: "kind:path"))
  var to: String

  func perform(_ settings: SettingsReader, print: @escaping @Sendable (String) throws -> Void) async throws
    -> Int32
  {
    let (source, target) = (try StoreLocation(url: from), try StoreLocation(url: to))
    try await source.requireExistence()
    try target.requireAbsence()
    let meter = ProgressMeter("copied")
    let progress = try await StoreCopy.copy(from: source.provider, to: target.provider, report: meter.show)
    meter.end()
    try print("\(target.provider): \(progress.rows) rows, \(ByteCount(progress.bytes)).")
    return 0
  }
}
