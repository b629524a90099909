internal import ArgumentParser

/// Which replica: where it is, and whom it syncs with. Every option is optional, so that the environment can be asked
/// next.
struct ReplicaOptions: ParsableArguments {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case edn, json, transit
  }

  enum StorageKind: String, ExpressibleByArgument, CaseIterable {
    case sqlite, lmdb
  }

  @Option(
    help:
      "The server's URL, such as http://localhost:8090/sync. (ATOMSYNC_SERVER; default: this machine only)")
  var server: String?

  @Option(help: "The group of documents. (ATOMSYNC_GROUP)")
  var group: String?

  @Option(
    help: "The file or folder to keep them in. (default: one per server and group, in the user's data folder)"
  )
  var store: String?

  @Option(help: "How to keep them: sqlite or lmdb.")
  var storage: StorageKind = .sqlite

  @Option(
    help:
      "The token to show to the server. Others can see it in the list of processes; rather use the environment. (ATOMSYNC_TOKEN)"
  )
  var token: String?

  @Option(
    help: ArgumentHelp(
      "A PEM file of certificates to trust instead of the system's, for a server of one's own.",
      valueName: "file"))
  var trust: String?

  @Option(
    help: ArgumentHelp(
      "A file of keys in base64, one in each line, that the documents are encrypted with: the first seals, all open. (ATOMSYNC_KEY_FILE)",
      valueName: "file"))
  var keyFile: String?

  @Flag(
    name: .customLong("hide-ids"),
    help: "Hide the ids of documents from the server, by the last key of the file.")
  var hidesIDs = false

  @Flag(name: .customLong("seal-store"), help: "Encrypt the documents in the store here as well.")
  var sealsStore = false

  @Option(help: "How many seconds to try to reach the server.")
  var wait: Double = 5

  @Flag(help: "Do not talk to the server.")
  var offline = false

  @Option(help: "How to show values: edn, json (Transit-JSON, verbose) or transit (Transit-JSON).")
  var format: Format = .edn

  /// The options without a value.
  static let flags: Set<String> = ["--offline", "--hide-ids", "--seal-store", "--help", "-h", "--version"]

  func validate() throws {
    guard wait >= 0, wait <= 86400 else { throw ValidationError("--wait takes 0 to 86400 seconds.") }
  }
}
