internal import ArgumentParser

/// What the command line says.
struct ShellCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "atomsync",
    abstract: "Reads and writes a group of documents, offline and online.",
    discussion: """
      put ID EDN    writes a document; it is durable here before the command returns
      get [ID]      shows one document, or all
      delete ID     deletes a document
      watch         shows each change as it comes, until interrupted
      sync          talks to the server; fails while something is pending or was rejected
      status        shows how this replica stands
      conflicts     shows what lost a conflict, each with its number
      recover N     writes again what lost conflict N
      rejected      shows the edits that the server can never take, and why
      retry ID      makes a rejected edit again
      discard ID    forgets a rejected edit

      Options may stand anywhere. Put -- before a value that begins with a dash.
      """)

  enum Action: String, ExpressibleByArgument, CaseIterable {
    case put, get, delete, watch, sync, status, conflicts, recover, rejected, retry, discard
  }

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case edn, json, transit
  }

  enum StorageKind: String, ExpressibleByArgument, CaseIterable {
    case sqlite, lmdb
  }

  @Option(help: "The server's URL, such as http://localhost:8090/sync. Left out: this machine only.")
  var server: String?

  @Option(help: "The group of documents.")
  var group: String

  @Option(
    help: "The file or folder to keep them in. (default: one per server and group, in the user's data folder)"
  )
  var store: String?

  @Option(help: "How to keep them: sqlite or lmdb.")
  var storage: StorageKind = .sqlite

  @Option(help: "The token to show to the server.")
  var token: String?

  @Option(
    help: ArgumentHelp(
      "A PEM file of certificates to trust instead of the system's, for a server of one's own.",
      valueName: "file"))
  var trust: String?

  @Option(help: "How many seconds to try to reach the server.")
  var wait: Double = 5

  @Flag(help: "Do not talk to the server.")
  var offline = false

  @Option(help: "How to show values: edn, json (Transit-JSON, verbose) or transit (Transit-JSON).")
  var format: Format = .edn

  @Argument(help: "put, get, delete, watch, sync, status, conflicts, recover, rejected, retry or discard.")
  var action: Action

  @Argument(help: "What the action takes.")
  var operands: [String] = []

  func validate() throws {
    let range: ClosedRange<Int>
    switch action {
    case .put: range = 2...2
    case .delete, .recover, .retry, .discard: range = 1...1
    case .get: range = 0...1
    case .watch, .sync, .status, .conflicts, .rejected: range = 0...0
    }
    guard range.contains(operands.count) else {
      throw ValidationError("\(action.rawValue) takes \(Self.count(range)); \(operands.count) given.")
    }
    guard wait >= 0, wait <= 86400 else { throw ValidationError("--wait takes 0 to 86400 seconds.") }
    if action == .sync && (offline || server == nil) {
      throw ValidationError("sync needs --server, and not --offline.")
    }
  }

  private static func count(_ range: ClosedRange<Int>) -> String {
    switch (range.lowerBound, range.upperBound) {
    case (0, 0): "nothing"
    case (0, _): "at most \(range.upperBound) operand"
    default: range.lowerBound == 1 ? "1 operand" : "\(range.lowerBound) operands"
    }
  }
}
