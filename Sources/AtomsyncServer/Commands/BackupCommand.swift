internal import ArgumentParser
internal import AtomsyncSettings

struct BackupCommand: OneStoreCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Writes a copy of a store by the storage's own means. The store may be in use.",
    discussion: "The copy is a store of the same kind, at one moment, that a server can open as it is.")

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("The file, for LMDB the folder, to make.", valueName: "path"))
  var to: String

  func perform(_ settings: SettingsReader, print: @escaping @Sendable (String) throws -> Void) async throws
    -> Int32
  {
    let location = try StoreLocation(store, settings)
    try await location.requireExistence()
    try await location.backUp(to: to)
    try print("\(to): a copy of \(location.provider).")
    return 0
  }
}
