internal import ArgumentParser
internal import AtomsyncCore

/// The program's command line: what is to be done. Serving is the default, and may be left out.
struct ServerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "atomsync-server", abstract: "Serves a store of documents to replicas over HTTP.",
    discussion: "Without a subcommand it serves: see `atomsync-server serve --help` for the options.",
    version: AtomsyncVersion.text,
    subcommands: [
      ServeCommand.self, TokenCommand.self, VerifyCommand.self, StatsCommand.self, DumpCommand.self,
      RestoreCommand.self, CopyCommand.self, BackupCommand.self, CompactCommand.self,
    ],
    defaultSubcommand: ServeCommand.self)
}

/// Which store. Every option is optional, so that the settings can be asked next.
struct StoreOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A JSON file of settings, for what neither an option nor the environment says. (ATOMSYNC_CONFIG; default: none)",
      valueName: "file"))
  var config: String?

  @Option(
    help: "Where documents are kept: sqlite, lmdb, postgres or memory. (ATOMSYNC_STORAGE; default: sqlite)")
  var storage: String?

  @Option(
    help:
      "The store's file or folder, or its PostgreSQL URL. (ATOMSYNC_PATH; default: atomsync.db, for LMDB atomsync.lmdb)"
  )
  var path: String?
}
