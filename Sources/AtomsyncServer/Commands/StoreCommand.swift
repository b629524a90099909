internal import ArgumentParser
internal import AtomsyncSettings

/// A command that does something to a store and ends.
protocol StoreCommand: ParsableCommand {
  /// The file of settings.
  var config: String? { get }

  /// Does it.
  ///
  /// - Parameter print: writes a line to standard output.
  /// - Returns: the exit code.
  /// - Throws: why it could not be done at all; its description is one line for people.
  func perform(_ settings: SettingsReader, print: @escaping @Sendable (String) throws -> Void) async throws
    -> Int32
}

extension StoreCommand {
  var config: String? { nil }
}

/// A command whose store is named by ``StoreOptions``.
protocol OneStoreCommand: StoreCommand {
  var store: StoreOptions { get }
}

extension OneStoreCommand {
  var config: String? { store.config }
}
