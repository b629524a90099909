internal import ArgumentParser

struct CompactCommand: StoreCommand {
  static let configuration = CommandConfiguration(
    commandName: "compact",
    abstract:
      "Gives the space of what was removed back to the file system. No server may have the store open.")

  @OptionGroup var store: StoreOptions

  func perform(_ environment: Environment, print: @escaping @Sendable (String) -> Void) async throws -> Int32
  {
    let location = try StoreLocation(store, environment)
    try location.requireExistence()
    let before = location.fileBytes
    try await location.compact()
    print("\(location.provider): \(ByteCount(before)) before, \(ByteCount(location.fileBytes)) now.")
    return 0
  }
}
