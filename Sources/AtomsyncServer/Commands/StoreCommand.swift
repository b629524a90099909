internal import ArgumentParser

/// A command that does something to a store and ends.
protocol StoreCommand: ParsableCommand {
  /// Does it.
  ///
  /// - Parameter print: writes a line to standard output.
  /// - Returns: the exit code.
  /// - Throws: why it could not be done at all; its description is one line for people.
  func perform(_ environment: Environment, print: @escaping @Sendable (String) -> Void) async throws -> Int32
}
