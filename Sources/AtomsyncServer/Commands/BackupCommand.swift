internal import ArgumentParser

struct BackupCommand: StoreCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Writes a copy of a store by the storage's own means. The store may be in use.",
    discussion: "The copy is a store of the same kind, at one moment, that a server can open as it is.")

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("The file, for LMDB the folder, to make.", valueName: "path"))
  var to: String

  func perform(_ environment: Environment, print: @escaping @Sendable (String) -> Void) async throws -> Int32
  {
    let location = try StoreLocation(store, environment)
    try location.requireExistence()
    try await location.backUp(to: to)
    print("\(to): a copy of \(location.provider).")
    return 0
  }
}
