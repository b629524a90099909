internal import ArgumentParser
internal import AtomsyncSettings

struct CompactCommand: OneStoreCommand {
  static let configuration = CommandConfiguration(
    commandName: "compact",
    abstract:
      "Gives the space of what was removed back to the file system. No server may have the store open.")

  @OptionGroup var store: StoreOptions

  func perform(_ settings: SettingsReader, print: @escaping @Sendable (String) throws -> Void) async throws
    -> Int32
  {
    let location = try StoreLocation(store, settings)
    try await location.requireExistence()
    let before = location.fileBytes ?? 0
    try await location.compact()
    try print("\(location.provider): \(ByteCount(before)) before, \(ByteCount(location.fileBytes ?? 0)) now.")
    return 0
  }
}
