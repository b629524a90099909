internal import ArgumentParser
internal import AtomsyncCore

/// The program's command line.
struct AtomsyncCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "atomsync",
    abstract: "Reads and writes a group of documents, offline and online.",
    discussion: """
      The documents are kept on this machine and synced with the server that --server names.

      Exit codes: 0 done; 1 done here, but the server that was named has not confirmed it, or not found; 2 it could not be done.
      """,
    version: AtomsyncVersion.text,
    subcommands: [
      PutCommand.self, GetCommand.self, DeleteCommand.self, WatchCommand.self, SyncCommand.self,
      StatusCommand.self, ConflictsCommand.self, RecoverCommand.self, RejectedCommand.self, RetryCommand.self,
      DiscardCommand.self,
    ])

  /// The command that the arguments ask for. Options may stand before its name as well.
  static func parse(arguments: [String]) throws -> any ParsableCommand {
    try parseAsRoot(commandFirst(arguments))
  }

  private static func commandFirst(_ arguments: [String]) -> [String] {
    let names = Set(configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"])
    var index = 0
    while index < arguments.count {
      let argument = arguments[index]
      if names.contains(argument) {
        return [argument] + arguments[..<index] + arguments[(index + 1)...]
      }
      if argument == "--" || !argument.hasPrefix("-") { break }
      let takesValue = !ReplicaOptions.flags.contains(argument) && !argument.contains("=")
      index += takesValue ? 2 : 1
    }
    return arguments
  }
}

/// A command on a replica.
protocol ReplicaCommand: ParsableCommand {
  var replica: ReplicaOptions { get }

  /// Does it.
  ///
  /// - Returns: the exit code.
  func perform(_ session: Session) async throws -> Int32
}
